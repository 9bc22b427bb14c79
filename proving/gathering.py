"""Which events name a thing, and their records as they stand on the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from epcis.trails import writer_of
from fabric.words.blocks import decode_block
from fabric.words.client_identity import client_identity
from ledger.port import Ledger
from proofs.story import Said, read_record
from readmodel.bulk import fetch

_NAMED = "SELECT x.event_id FROM {values} JOIN thing t ON t.uri = v.value JOIN event_epc x ON x.thing_id = t.id"
_OF_LOT = (
    "SELECT x.event_id FROM {values} JOIN thing l ON l.uri = v.value JOIN thing t ON t.lot_id = l.id "
    "JOIN event_epc x ON x.thing_id = t.id JOIN event e ON e.id = x.event_id WHERE e.type = 'TransformationEvent' "
    "OR e.type = 'ObjectEvent' AND e.action = 'ADD' OR replace(e.stored, '/10/', '') <> e.stored"
)
_TIED = "SELECT x.event_id FROM {values} JOIN event_link x ON x.kind = 'transformation' AND x.value = v.value"
_WHERE = (
    'SELECT e.id, e.hash, t.block FROM {values} JOIN event e ON e.id = v.value JOIN "transaction" t '
    "ON t.id = e.transaction_id"
)
_CHECKPOINT = "SELECT max(number) FROM block"


Trail = tuple[str, str, list[int]]
"""What, whose events (a thing's: "", all), and their ids in the ledger's order."""


class Kept(NamedTuple):
    """An event: its record's text without ``n``, who wrote it, and what it says."""

    text: str
    writer: str
    said: Said


class Gathering:
    """Events by their ids in the read model, which have the ledger's order. Fetches each once."""

    def __init__(self, ledger: Ledger, chaincode: str = "lotline") -> None:
        self._ledger = ledger
        self._chaincode = chaincode
        self.events: dict[int, Kept] = {}

    async def add(self, connection: Connection, names: Iterable[str]) -> None:
        """Fetch all events that name any of these, in any way."""
        wanted = list(names)
        ids = {row[0] for sql in (_NAMED, _OF_LOT, _TIED) for row in fetch(connection, sql, wanted)}
        blocks: dict[int, dict[str, int]] = defaultdict(dict)
        for event, digest, block in fetch(connection, _WHERE, sorted(ids - self.events.keys())):
            blocks[block][digest] = event
        for number in sorted(blocks):
            await self._read_block(number, blocks[number])

    async def _read_block(self, number: int, wanted: dict[str, int]) -> None:
        for tx in decode_block(await self._ledger.block(number), strict=False).transactions:
            if not tx.valid or tx.function != "capture":
                continue
            writer = ""
            for write in tx.writes:
                if write.namespace != self._chaincode or not write.key.startswith("\x00EV\x00") or write.value is None:
                    continue
                event = wanted.get(write.key[4:-1])
                if event is None or b'"event":' not in write.value:
                    continue
                writer = writer or writer_of(tx.creator_msp, client_identity(tx.creator).id)
                text = without_place(write.value)
                self.events[event] = Kept(text, writer, read_record(text))


def without_place(value: bytes) -> str:
    """An event's record as trails have it: all but ``n``, its place in the transaction."""
    record = orjson.loads(value)
    tail = orjson.dumps({name: record[name] for name in record if name > "n"}, option=orjson.OPT_SORT_KEYS)[1:]
    middle = b'"n":%d,' % record["n"]
    if not value.endswith(middle + tail):
        raise ValueError("an event's record is not as the contract writes it")
    return (value[: -len(middle) - len(tail)] + tail).decode()


def checkpoint(connection: Connection) -> int | None:
    """The last block that the read model shows."""
    found: int | None = connection.exec_driver_sql(_CHECKPOINT).scalar_one()
    return found


def trails_of(gathered: Gathering, things: Collection[str], classes: Collection[str]) -> list[Trail]:
    """(URI, writer, event ids) of all trails of these."""
    index: dict[tuple[str, str], list[int]] = defaultdict(list)
    asked, kinds = set(things), set(classes)
    for event in sorted(gathered.events):
        kept = gathered.events[event]
        for uri in kept.said.instances:
            if uri in asked:
                index[(uri, "")].append(event)
        for uri in kept.said.classes:
            if uri in kinds:
                index[(uri, kept.writer)].append(event)
    return [(uri, writer, events) for (uri, writer), events in sorted(index.items())]
