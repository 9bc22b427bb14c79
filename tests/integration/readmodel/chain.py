"""Blocks made by hand: what the contract would write, without running it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from fabric.words.blocks import DecodedBlock, DecodedTx, Write
from tests.unit.chaincode.peer import creator

MSP = "MakerMSP"
DAY0 = datetime(2024, 3, 1, tzinfo=UTC)
GTIN = "https://id.gs1.org/01/09506000134352"
OTHER_GTIN = "https://id.gs1.org/01/09506000134369"


def sscc(n: int) -> str:
    """A pallet (no check digit: the read model takes what the ledger holds)."""
    return f"https://id.gs1.org/00/{n:018d}"


def item(n: int, gtin: str = GTIN) -> str:
    return f"{gtin}/21/{n}"


def lot(name: str, gtin: str = GTIN) -> str:
    return f"{gtin}/10/{name}"


def party(n: int) -> str:
    return f"https://id.gs1.org/417/{n:013d}"


def place(n: int) -> str:
    return f"https://id.gs1.org/414/{n:013d}"


def at(hours: float) -> str:
    """An event time, in hours after the first of March 2024."""
    return (DAY0 + timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(hours: float) -> datetime:
    return DAY0 + timedelta(hours=hours)


def hash_of(event: dict[str, Any]) -> str:
    """Some identity that differs for different events."""
    digest = hashlib.sha256(orjson.dumps(event, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def write(kind: str, *attributes: str, value: Any = None, delete: bool = False) -> Write:
    key = "\x00" + "".join(part + "\x00" for part in (kind, *attributes))
    return Write("lotline", key, None if delete else orjson.dumps(value, option=orjson.OPT_SORT_KEYS), delete)


def captured(events: Sequence[dict[str, Any]], party: str | None = None, msp: str = MSP) -> list[Write]:
    """The EV writes of a transaction's events, in key order as a write set has them."""
    writes = []
    for n, event in enumerate(events):
        identity = hash_of(event)
        value = {"event": event, "msp": msp, "n": n}
        if party is not None:
            value["party"] = party
        writes.append(write("EV", identity[14:78], value=value))
    return sorted(writes, key=lambda one: one.key)


def object_event(hours: float, action: str = "OBSERVE", step: str = "storing", **fields: Any) -> dict[str, Any]:
    return _event("ObjectEvent", hours, action=action, bizStep=step, **fields)


def pack(
    hours: float, parent: str | None, children: Sequence[str] = (), action: str = "ADD", **more: Any
) -> dict[str, Any]:
    step = "unpacking" if action == "DELETE" else "packing"
    fields = {"childEPCs": list(children)} if children else {}
    return _event("AggregationEvent", hours, action=action, bizStep=step, parentID=parent, **fields, **more)


def transform(hours: float, inputs: Sequence[str], outputs: Sequence[str], **more: Any) -> dict[str, Any]:
    """Identifiers with a lot but no serial go into the quantity lists, one unit each."""
    fields: dict[str, Any] = {}
    for side, names in (("input", inputs), ("output", outputs)):
        instances = [name for name in names if "/10/" not in name]
        classes = [{"epcClass": name, "quantity": 1.0} for name in names if "/10/" in name]
        if instances:
            fields[f"{side}EPCList"] = instances
        if classes:
            fields[f"{side}QuantityList"] = classes
    return _event("TransformationEvent", hours, bizStep="commissioning", **fields, **more)


def _event(kind: str, hours: float, **fields: Any) -> dict[str, Any]:
    present = {name: value for name, value in fields.items() if value is not None}
    return {"type": kind, "eventTime": at(hours), "eventTimeZoneOffset": "+00:00", **present}


def handoff(key: str, thing: str, *, kind: str = "instance", hops: tuple[int, int] = (1, 2), **fields: Any) -> Write:
    """A HO write; ``hops`` number the parties and places it goes from and to."""
    sender, receiver = hops
    value = {
        "id": key,
        "item": thing,
        "kind": kind,
        "from": party(sender),
        "to": party(receiver),
        "fromPlace": place(sender),
        "toPlace": place(receiver),
        "reference": None,
        "status": "released",
        "released": None,
        "accepted": None,
        "uom": None,
        "releaseEvents": [],
        "acceptEvents": [],
        "releasedAt": None,
        "acceptedAt": None,
        "promisedAt": None,
        "fromMsp": MSP,
        "toMsp": "ShopMSP",
        **fields,
    }
    return write("HO", key, value=value)


def state(thing: str, hours: float = 0, **fields: Any) -> Write:
    value = {
        "id": thing,
        "msp": MSP,
        "holder": None,
        "place": None,
        "status": "active",
        "disposition": None,
        "parent": None,
        "commissioned": True,
        "lot": None,
        "open": [],
        "event": None,
        "time": at(hours),
        **fields,
    }
    return write("TH", thing, value=value)


class ChainBuilder:
    """Links blocks by hash as a chain does."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self.blocks: list[DecodedBlock] = []

    def add(self, *transactions: Sequence[Write], code: int = 0) -> DecodedBlock:
        number = len(self.blocks)
        previous = self.blocks[-1].header_hash if self.blocks else b""
        decoded = [self._transaction(number, index, writes, code) for index, writes in enumerate(transactions)]
        data = hashlib.sha256(f"{self._seed}{number}{[tx.writes for tx in decoded]}".encode()).digest()
        block = DecodedBlock(number, previous, data, hashlib.sha256(previous + data).digest(), decoded)
        self.blocks.append(block)
        return block

    def capture(self, *events: dict[str, Any], also: Sequence[Write] = (), by: str | None = None) -> DecodedBlock:
        """One block with one transaction that captured the events and wrote the rest."""
        return self.add([*captured(events, by), *also])

    def _transaction(self, number: int, index: int, writes: Sequence[Write], code: int) -> DecodedTx:
        return DecodedTx(
            tx_id=hashlib.sha256(f"{self._seed}{number}/{index}".encode()).hexdigest(),
            index=index,
            type=3,
            timestamp=DAY0 + timedelta(days=1, seconds=number),
            creator_msp=MSP,
            creator=creator(MSP, "scanner"),
            function="capture",
            code=code,
            valid=code == 0,
            writes=list(writes),
            response_status=200,
            response_payload=b"",
            endorsements=[],
        )
