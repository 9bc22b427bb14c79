"""Read the write sets of transactions and gather rows. No SQL: things, parties and places are still by name.

Names are gathered in the order they first appear on the ledger, whatever the size of the batch, because that
order gives them their ids. So every name a later step could need must be met here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from pydantic import AwareDatetime, TypeAdapter

from chaincode.cid import client_identity
from ledger.blocks import DecodedBlock, DecodedTx, Write
from readmodel.bulk import Row
from readmodel.columns import dump, to_micros, to_millionths
from readmodel.flows import EventFlow, event_flows
from readmodel.identifiers import Description, clean, describe, hash_hex
from readmodel.recall import says_recalled

"""The name of the contract on the channel, whose writes are projected."""

_ANY_TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)

# Where events name things: EPCIS field, and whether it holds classes with quantities.
_EPC_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_QUANTITY_LISTS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_LINKS = (
    ("bizTransaction", "bizTransactionList", "bizTransaction"),
    ("source", "sourceList", "source"),
    ("destination", "destinationList", "destination"),
)
_PACKING_FIELDS = frozenset({"childEPCs", "childQuantityList"})
_SIDES = {
    "inputEPCList": "input",
    "inputQuantityList": "input",
    "outputEPCList": "output",
    "outputQuantityList": "output",
}


class MalformedWriteError(ValueError):
    """A write set that holds what the contract never writes: this is not the channel, or not its contract."""


class Named(NamedTuple):
    """A thing an event names: identifier, EPCIS field, quantity in millionths, unit."""

    thing: str
    role: str
    quantity: int | None
    uom: str | None


class PackingRow(NamedTuple):
    """A statement about a child and a parent; ``child`` None: all children; ``parent`` None: whatever it
    is in."""

    child: str | None
    parent: str | None
    time: int
    event: int
    n: int
    kind: str
    action: str
    quantity: int | None
    uom: str | None


class Captured(NamedTuple):
    """An event's record and what is beside it: the digits of its hash, the record's text, who signed the transaction."""

    digest: str
    record: dict[str, Any]
    raw: bytes
    submitter: str | None


class Scan:
    """The rows of a batch of blocks. Ids of blocks, transactions and events are final; the rest is by
    name."""

    def __init__(
        self, next_transaction: int, next_event: int, known_things: Collection[str], chaincode: str = "lotline"
    ) -> None:
        self._chaincode = chaincode
        self.first_event = self.next_event = next_event
        self.next_transaction = next_transaction
        self._known = known_things
        self.blocks: list[Row] = []
        self.transactions: list[Row] = []
        self.events: list[Row] = []
        self.epcs: list[Row] = []
        self.links: dict[Row, None] = {}
        self.packings: list[PackingRow] = []
        self.transformations: dict[str, str | None] = {}
        self.edges: list[Row] = []
        self.flows: list[EventFlow] = []
        self.recall_marks: dict[Row, bool] = {}
        self.things: dict[str, Description] = {}
        self.parties: dict[str, None] = {}
        self.places: dict[str, None] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self.lot_headers: dict[str, dict[str, Any]] = {}
        self.balances: dict[tuple[str, str | None, str | None], dict[str, Any] | None] = {}
        self.packed: dict[tuple[str, str], dict[str, Any] | None] = {}
        self.handoffs: dict[str, dict[str, Any]] = {}
        self.exceptions: dict[str, dict[str, Any]] = {}
        self.party_records: dict[str, dict[str, Any]] = {}
        self.place_records: dict[str, dict[str, Any]] = {}
        self.devices: dict[str, dict[str, Any]] = {}
        self.published: dict[tuple[str, str], Row] = {}
        self.config: dict[str, dict[str, Any]] = {}

    def block(self, block: DecodedBlock) -> None:
        """Gather a whole block."""
        for tx in block.transactions:
            self._transaction(block.number, tx)
        self.blocks.append(
            (
                block.number,
                block.header_hash.hex(),
                block.previous_hash.hex(),
                block.data_hash.hex(),
                len(block.transactions),
            )
        )

    def _transaction(self, block: int, tx: DecodedTx) -> None:
        transaction = self.next_transaction
        self.next_transaction += 1
        timestamp = to_micros(tx.timestamp) if tx.timestamp is not None else None
        before = self.next_event
        if tx.valid:
            self._writes(tx, transaction, timestamp)
        self.transactions.append(
            (
                transaction,
                block,
                tx.index,
                clean(tx.tx_id),
                int(tx.type),
                timestamp,
                clean(tx.creator_msp) if tx.creator_msp else None,
                clean(tx.function) if tx.function else None,
                int(tx.code),
                tx.valid,
                self.next_event - before,
            )
        )

    def _writes(self, tx: DecodedTx, transaction: int, timestamp: int | None) -> None:
        events: list[tuple[list[str], dict[str, Any], bytes]] = []
        taken_out: set[str] = set()
        others: list[tuple[Callable[..., None], list[str], Any]] = []
        for write in tx.writes:
            if write.namespace != self._chaincode or not write.key.startswith("\x00"):
                continue
            kind, *attributes = write.key[1:-1].split("\x00")
            if kind == "EV":
                events.append((attributes, _json(write, tx.tx_id), write.value or b""))
            elif kind == "IN":
                if write.is_delete:
                    taken_out.add(attributes[-1])
            elif (read := _READERS.get(kind)) is not None:
                others.append((read, attributes, None if write.is_delete else _json(write, tx.tx_id)))
        try:
            events.sort(key=lambda one: one[1]["n"])  # the write set is in key order, the ids in capture order
            submitter = client_identity(tx.creator).id if events and tx.creator else None
            for attributes, record, raw in events:
                self._event(Captured(attributes[0], record, raw, submitter), transaction, timestamp, taken_out)
            for read, attributes, value in others:
                read(self, attributes, value, transaction, timestamp)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise MalformedWriteError(f"transaction {tx.tx_id} wrote what the contract does not: {error!r}") from error

    # --- events

    def _event(self, captured: Captured, transaction: int, timestamp: int | None, taken_out: Collection[str]) -> None:
        entry = captured.record
        event = entry["event"]
        identity = self.next_event
        self.next_event += 1
        time = _micros(event["eventTime"])
        get = event.get
        read_point = self._place(_id(get("readPoint")))
        location = self._place(_id(get("bizLocation")))
        party = self._party(entry.get("party"))
        named = self._named(event)
        self.epcs.extend(
            (item.thing, time, identity, n, item.role, item.quantity, item.uom) for n, item in enumerate(named)
        )
        self._links(event, identity)
        flags = entry.get("flags")
        declares = entry.get("declares")
        if declares is None:  # an error declaration repeats its event, which happened once
            self._consequences(captured, identity, time, named, taken_out)
            self.flows.extend(event_flows(event, named, time, party, location or read_point))
            if (recalled := says_recalled(event)) is not None:
                self.recall_marks.update({(item.thing, time, identity): recalled for item in named})
        self.events.append(
            (
                identity,
                captured.digest,
                _text(get("eventID")),
                event["type"],
                get("action"),
                _text(get("bizStep")),
                _text(get("disposition")),
                time,
                get("eventTimeZoneOffset"),
                timestamp,
                read_point,
                location,
                party,
                _text(entry.get("msp")),
                _text(captured.submitter),
                _text(entry.get("device")),
                dump(flags) if flags else None,
                None if declares is None else hash_hex(declares),
                transaction,
                _stored(entry, captured.raw),
            )
        )

    def _consequences(
        self, captured: Captured, identity: int, time: int, named: list[Named], taken_out: Collection[str]
    ) -> None:
        entry = captured.record
        event = entry["event"]
        kind = event["type"]
        if kind in ("AggregationEvent", "AssociationEvent"):
            self._packing(event, identity, time, named)
        elif kind == "TransformationEvent":
            self._transformation(captured, identity, time, named)
            self._ends(named, "inputEPCList", identity, time)
        elif kind == "ObjectEvent" and event["action"] == "DELETE":
            self._ends(named, "epcList", identity, time)
        elif "unpacked" in entry.get("flags", ()):  # shipped or received by itself, so it was no longer inside
            self._ends([item for item in named if item.thing in taken_out], "epcList", identity, time)

    def _named(self, event: Mapping[str, Any]) -> list[Named]:
        """Every thing an event names, in the order of the fields above."""
        named: list[Named] = []
        if (parent := event.get("parentID")) is not None:
            named.append(Named(self._thing(parent, False), "parentID", None, None))
        for field in _EPC_LISTS:
            if listed := event.get(field):
                named.extend([Named(self._thing(epc, False), field, None, None) for epc in listed])
        for field in _QUANTITY_LISTS:
            for element in event.get(field, ()):
                quantity = element.get("quantity")
                amount = None if quantity is None else to_millionths(quantity)
                named.append(Named(self._thing(element["epcClass"], True), field, amount, _text(element.get("uom"))))
        return named

    def _links(self, event: Mapping[str, Any], identity: int) -> None:
        for kind, field, member in _LINKS:
            for element in event.get(field, ()):
                self.links[(kind, clean(element[member]), clean(element.get("type") or ""), identity)] = None
        if (tie := event.get("transformationID")) is not None:
            self.links[("transformation", clean(tie), "", identity)] = None

    def _packing(self, event: Mapping[str, Any], identity: int, time: int, named: list[Named]) -> None:
        if not named or named[0].role != "parentID":
            return  # an observation of things together that names no parent says nothing of containment
        parent, action = named[0].thing, event["action"]
        associated = event["type"] == "AssociationEvent"
        children = [(n, item) for n, item in enumerate(named) if item.role in _PACKING_FIELDS]
        for n, item in children:
            loose = "quantity" if item.role == "childQuantityList" else "aggregation"
            kind = "association" if associated else loose
            self.packings.append(
                PackingRow(item.thing, parent, time, identity, n, kind, action, item.quantity, item.uom)
            )
        if not children and action == "DELETE":
            kind = "association" if associated else "aggregation"
            self.packings.append(PackingRow(None, parent, time, identity, 0, kind, action, None, None))

    def _ends(self, named: list[Named], role: str, identity: int, time: int) -> None:
        """What is no more is in nothing any more, though nobody unpacked it."""
        self.packings.extend(
            PackingRow(item.thing, None, time, identity, n, "aggregation", "DELETE", None, None)
            for n, item in enumerate(named)
            if item.role == role
        )

    def _transformation(self, captured: Captured, identity: int, time: int, named: list[Named]) -> None:
        tie = captured.record["event"].get("transformationID")
        # Only one organisation's events are tied together: nobody can add inputs to what another one made.
        key = captured.digest if tie is None else clean(f"{captured.record.get('msp')} {tie}")
        self.transformations.setdefault(key, None if tie is None else clean(tie))
        self.edges.extend(
            (item.thing, _SIDES[item.role], key, identity, n, time, item.quantity, item.uom)
            for n, item in enumerate(named)
            if item.role in _SIDES
        )

    # --- state

    def _state(self, attributes: list[str], value: dict[str, Any], *_: Any) -> None:
        thing = self._thing(attributes[0], False)
        self._lot(value.get("lot") or describe(thing, is_class=False).lot)
        self._party(value.get("holder"))
        self._place(value.get("place"))
        if (parent := value.get("parent")) is not None:
            self._thing(parent, False)
        self.states[thing] = value

    def _lot_header(self, attributes: list[str], value: dict[str, Any], *_: Any) -> None:
        self.lot_headers[self._thing(attributes[0], True)] = value

    def _balance(self, attributes: list[str], value: dict[str, Any] | None, *_: Any) -> None:
        lot, holder, place = attributes
        key = (self._thing(lot, True), self._party(holder or None), self._place(place or None))
        self.balances[key] = value

    def _packed(self, attributes: list[str], value: dict[str, Any] | None, *_: Any) -> None:
        parent, inside = attributes
        self.packed[(self._thing(parent, False), self._thing(inside, True))] = value

    def _handoff(self, attributes: list[str], value: dict[str, Any], *_: Any) -> None:
        self._thing(value["item"], value["kind"] == "lot")
        for side in ("from", "to"):
            self._party(value.get(side))
            self._place(value.get(f"{side}Place"))
        self.handoffs[clean(attributes[0])] = value

    def _exception(self, attributes: list[str], value: dict[str, Any], *_: Any) -> None:
        if (item := value.get("item")) is not None:
            self._thing(item, describe(item, is_class=False).kind != "instance")
        for party in value.get("parties") or ():
            self._party(party)
        self.exceptions[clean(attributes[0])] = value

    # --- registry

    def _party_record(self, attributes: list[str], value: dict[str, Any], *_: Any) -> None:
        party = self._party(attributes[0])
        assert party is not None
        self.party_records[party] = value

    def _place_record(self, attributes: list[str], value: dict[str, Any], *_: Any) -> None:
        place = self._place(attributes[0])
        assert place is not None
        self._party(value.get("party"))
        self.place_records[place] = value

    def _device(self, attributes: list[str], value: dict[str, Any], *_: Any) -> None:
        self._party(value.get("party"))
        self.devices[clean(attributes[0])] = value

    def _publication(
        self, attributes: list[str], value: dict[str, Any], transaction: int, timestamp: int | None
    ) -> None:
        kind, key = clean(attributes[0]), clean(attributes[1])
        self.published[(kind, key)] = (
            kind,
            key,
            _text(value.get("digest")),
            _text(value.get("msp")),
            _text(value.get("submitter")),
            transaction,
            timestamp,
            dump(value),
        )

    def _configuration(self, attributes: list[str], value: dict[str, Any], *_: Any) -> None:
        self.config[clean(attributes[0])] = value

    # --- names

    def _thing(self, uri: str, is_class: bool) -> str:
        if uri in self.things or uri in self._known:
            return uri
        uri = clean(uri)
        if uri not in self.things and uri not in self._known:
            description = describe(uri, is_class=is_class)
            if description.product is not None and description.product != uri:
                self._thing(description.product, True)
            self._lot(description.lot)
            self.things[uri] = description
        return uri

    def _lot(self, uri: str | None) -> None:
        if uri is not None:
            self._thing(uri, True)

    def _party(self, uri: str | None) -> str | None:
        if uri is None:
            return None
        uri = clean(uri)
        self.parties[uri] = None
        return uri

    def _place(self, uri: str | None) -> str | None:
        if uri is None:
            return None
        uri = clean(uri)
        self.places[uri] = None
        return uri


_READERS: dict[str, Callable[..., None]] = {
    "TH": Scan._state,
    "LT": Scan._lot_header,
    "LB": Scan._balance,
    "IQ": Scan._packed,
    "HO": Scan._handoff,
    "EX": Scan._exception,
    "PY": Scan._party_record,
    "PL": Scan._place_record,
    "DV": Scan._device,
    "PB": Scan._publication,
    "CF": Scan._configuration,
}
"""Key types that are projected. IN says what TH's parent says; ID is in the event itself."""


def _stored(entry: dict[str, Any], raw: bytes) -> str:
    """The event as the ledger has it, to the byte: reading numbers and writing them again may change them.

    The record's members are sorted, so the event lies between those before its name and those after it.
    """
    around = orjson.dumps({**entry, "event": orjson.Fragment(b"")}, option=orjson.OPT_SORT_KEYS)
    begin = around.index(b'"event":') + len(b'"event":')
    before, after = around[:begin], around[begin:]
    if raw.startswith(before) and raw.endswith(after):
        return raw[begin : -len(after)].decode()
    return dump(entry["event"])


def _json(write: Write, tx_id: str) -> Any:
    try:
        return orjson.loads(write.value or b"")
    except orjson.JSONDecodeError as error:
        raise MalformedWriteError(f"transaction {tx_id}: the value of {write.key!r} is not JSON: {error}") from error


def _micros(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _ANY_TIME.validate_python(text)
    return to_micros(moment)


def micros(text: str | None) -> int | None:
    """Microseconds of an ISO time, or None."""
    return None if text is None else _micros(text)


def _id(place: Mapping[str, Any] | None) -> str | None:
    return None if place is None else place["id"]


def _text(value: str | None) -> str | None:
    return None if value is None else clean(value)
