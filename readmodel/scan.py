"""Read the write sets of transactions and gather rows. No SQL: things, parties and places are still by name.

Every record is read to its end before anything is gathered from it, so one that cannot be read is set aside alone.
Names are gathered in the order they first appear on the ledger, whatever the size of the batch, because that
order gives them their ids. So every name a later step could need must be met here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from fabric.words.blocks import DecodedBlock, DecodedTx, Write
from fabric.words.client_identity import client_identity
from readmodel import records, typed
from readmodel.bulk import Row
from readmodel.columns import dump, to_micros
from readmodel.consequences import Consequences, consequences, making_of
from readmodel.identifiers import Description, clean, describe
from readmodel.lives import Lives
from readmodel.quarantine import ANSWER, WHOLE, Origin, set_aside, set_aside_write
from readmodel.refusals import Refused, refused
from readmodel.told import Record, Told, digest_of, read_record
from readmodel.typed import UnreadableError

Skip = Collection[tuple[int, int, int]]
"""Block, transaction and write that are set aside unread."""


class Scan:
    """The rows of a batch of blocks. Ids of blocks, transactions and events are final; the rest is by name."""

    def __init__(
        self,
        next_transaction: int,
        next_event: int,
        known_things: Collection[str],
        known_events: Collection[str],
        chaincode: str = "lotline",
        skip: Skip = (),
    ) -> None:
        self._chaincode = chaincode
        self._skip = skip
        self.first_event = self.next_event = next_event
        self.next_transaction = next_transaction
        self._known = known_things
        self._known_events = known_events
        self.blocks: list[Row] = []
        self.transactions: list[Row] = []
        self.quarantine: list[Row] = []
        self.refusals: list[Refused] = []
        self.events: list[Row] = []
        self.fresh: dict[str, int] = {}
        """The ids of this batch's events, by the digits of their names."""
        self.consequences: list[Consequences] = []
        """Of each of them, in order."""
        self._own_ids: set[tuple[str, str]] = set()
        """The eventIDs that events of the transaction at hand have in them."""
        self.notes: dict[str, records.Note] = {}
        self.aliases: dict[tuple[str, str], None] = {}
        self.epcs: list[Row] = []
        self.links: dict[Row, None] = {}
        self.transformations: dict[str, str | None] = {}
        self.things: dict[str, Description] = {}
        self.parties: dict[str, None] = {}
        self.places: dict[str, None] = {}
        self.states: dict[str, records.ThingState] = {}
        self.lot_headers: dict[str, records.LotHeader] = {}
        self.balances: dict[tuple[str, str | None, str | None], records.Balance | None] = {}
        self.packed: dict[tuple[str, str], records.Loose | None] = {}
        self.handoffs: Lives[records.HandoffRecord] = Lives()
        self.exceptions: Lives[records.ExceptionRecord] = Lives()
        self.party_records: dict[str, Row] = {}
        self.place_records: dict[str, Row] = {}
        self.devices: dict[str, Row] = {}
        self.device_chains: dict[str, Row] = {}
        self.published: dict[tuple[str, str], Row] = {}
        self.master_data: dict[tuple[str, str], Row | None] = {}
        self.config: dict[str, str] = {}

    def block(self, block: DecodedBlock) -> None:
        """Gather a whole block."""
        for tx in block.transactions:
            self._transaction(block.number, tx)
        hashes = (block.header_hash.hex(), block.previous_hash.hex(), block.data_hash.hex())
        self.blocks.append((block.number, *hashes, len(block.transactions)))

    def _transaction(self, block: int, tx: DecodedTx) -> None:
        transaction = self.next_transaction
        self.next_transaction += 1
        timestamp = to_micros(tx.timestamp) if tx.timestamp is not None else None
        before = self.next_event
        if tx.valid:
            origin = Origin(block, transaction, tx.tx_id, timestamp)
            self._unread(origin, tx)
            self._writes(origin, tx)
            self._answer(origin, tx)
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

    def _unread(self, origin: Origin, tx: DecodedTx) -> None:
        if tx.unread is not None:
            reason = "marked valid and cannot be taken apart"
            self.quarantine.append(set_aside(origin, WHOLE, "transaction", "", reason, tx.unread))

    def _answer(self, origin: Origin, tx: DecodedTx) -> None:
        if tx.function != "capture" or b'"rejected"' not in tx.response_payload:
            return
        if tx.chaincode not in ("", self._chaincode):  # others on the channel have functions of this name too
            return
        try:
            self.refusals.extend(refused(origin, tx))
        except UnreadableError as error:
            self.quarantine.append(set_aside(origin, ANSWER, "answer", "", str(error), tx.response_payload))

    def _writes(self, origin: Origin, tx: DecodedTx) -> None:
        events: list[tuple[Record, int, Write]] = []
        others: list[Callable[[], None]] = []
        for n, write in enumerate(tx.writes):
            if write.namespace != self._chaincode or not write.key.startswith("\x00"):
                continue
            kind, *attributes = write.key[1:-1].split("\x00")
            read = _READERS.get(kind)
            if kind != "EV" and read is None:
                continue
            try:
                if (origin.block, tx.index, n) in self._skip:
                    raise UnreadableError("the tables cannot hold it")
                if read is not None:
                    others.append(read(self, origin, n, attributes, write))
                elif (record := self._event_record(attributes, write)) is not None:
                    events.append((record, n, write))
            except UnreadableError as error:
                self.quarantine.append(set_aside_write(origin, n, write, str(error)))
        self._own_ids = {(one.told.event_id, one.digest) for one, _, _ in events if one.told.event_id is not None}
        if events:
            self._events(origin, tx, events)
        for gather in others:
            gather()

    # --- events

    def _event_record(self, attributes: list[str], write: Write) -> Record | None:
        if write.is_delete:
            raise UnreadableError("an event is never deleted")
        return read_record(attributes, write.value)

    def _events(self, origin: Origin, tx: DecodedTx, events: list[tuple[Record, int, Write]]) -> None:
        events.sort(key=lambda one: (one[0].n, one[1]))  # the write set is in key order, the ids in capture order
        try:
            submitter = clean(client_identity(tx.creator).id) if tx.creator else None
        except ValueError:
            submitter = None
        for record, n, write in events:
            if record.digest in self.fresh or record.digest in self._known_events:
                self.quarantine.append(set_aside_write(origin, n, write, "this event is on the ledger already"))
            else:
                self._event(origin, record, submitter)

    def _event(self, origin: Origin, record: Record, submitter: str | None) -> None:
        told, digest = record.told, record.digest
        identity = self.fresh[digest] = self.next_event
        self.next_event += 1
        party = self._party(record.party)
        told = self._by_clean_names(told)
        read_point, location, time = told.read_point, told.location, told.time
        self.epcs += [
            (thing, time, identity, n, role, quantity, uom) for n, (thing, role, quantity, uom) in enumerate(told.named)
        ]
        for link in told.links:
            self.links[(*link, identity)] = None
        if told.tie is not None:
            self.links[("transformation", told.tie, "", identity)] = None
        if told.type == "TransformationEvent":
            self.transformations.setdefault(making_of(digest, told, record.msp), told.tie)
        # An error declaration repeats its event, which happened once.
        follows = consequences(identity, digest, told, record.msp, party) if record.declares is None else _NOTHING
        self.consequences.append(follows)
        self.events.append(
            (
                identity,
                digest,
                record.event_hash,
                told.event_id,
                told.type,
                told.action,
                told.step,
                told.disposition,
                time,
                told.zone,
                origin.timestamp,
                read_point,
                location,
                party,
                record.msp,
                submitter,
                record.device,
                record.flags,
                record.declares,
                origin.transaction,
                record.stored,
            )
        )

    # --- names

    def _by_clean_names(self, told: Told) -> Told:
        """The same with its names gathered, and such as a column takes: nearly always what it says already."""
        read_point, location, named = self._place(told.read_point), self._place(told.location), told.named
        things, known = self.things, self._known
        for n, item in enumerate(named):
            uri = item.thing
            if uri in things or uri in known:
                continue
            thing = self._thing(uri, item.role.endswith("uantityList"))
            if thing is not uri:
                named = [*named[:n], item._replace(thing=thing), *named[n + 1 :]]
        if read_point is told.read_point and location is told.location and named is told.named:
            return told
        return told._replace(read_point=read_point, location=location, named=named)

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


_NOTHING = Consequences([], [], [], [])

Reader = Callable[[Scan, Origin, int, list[str], Write], Callable[[], None]]
"""Reads a record, raising UnreadableError, and gives what gathers from it, which cannot fail."""


def _attributes(attributes: list[str], count: int) -> list[str]:
    if len(attributes) != count:
        raise UnreadableError(f"the key has {len(attributes)} parts, not {count}")
    return attributes


def _kept(write: Write) -> dict[str, Any]:
    if write.is_delete:
        raise UnreadableError("a record of this kind is never deleted")
    return typed.members(write.value)


def _state(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (uri,) = _attributes(attributes, 1)
    state = records.NO_STATE if write.is_delete else records.thing_state(typed.members(write.value))

    def gather() -> None:
        thing = scan._thing(uri, False)
        scan._lot(state.lot or describe(thing, is_class=False).lot)
        scan._party(state.holder)
        scan._place(state.place)
        if state.parent is not None:
            scan._thing(state.parent, False)
        scan.states[thing] = state

    return gather


def _lot_header(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (uri,) = _attributes(attributes, 1)
    header = records.NO_HEADER if write.is_delete else records.lot_header(typed.members(write.value))

    def gather() -> None:
        scan.lot_headers[scan._thing(uri, True)] = header

    return gather


def _balance(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    lot, holder, place = _attributes(attributes, 3)
    balance = None if write.is_delete else records.balance(typed.members(write.value))

    def gather() -> None:
        key = (scan._thing(lot, True), scan._party(holder or None), scan._place(place or None))
        scan.balances[key] = balance

    return gather


def _packed(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    parent, inside = _attributes(attributes, 2)
    loose = None if write.is_delete else records.loose(typed.members(write.value))

    def gather() -> None:
        scan.packed[(scan._thing(parent, False), scan._thing(inside, True))] = loose

    return gather


def _handoff(scan: Scan, origin: Origin, n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (key,) = _attributes(attributes, 1)
    if write.is_delete:
        return partial(scan.handoffs.end, clean(key))
    handoff = records.handoff(typed.members(write.value))

    def gather() -> None:
        scan._thing(handoff.item, handoff.kind == "lot")
        scan._party(handoff.sender)
        scan._place(handoff.from_place)
        scan._party(handoff.receiver)
        scan._place(handoff.to_place)
        scan.handoffs.put(clean(key), origin, n, handoff)

    return gather


def _exception(scan: Scan, origin: Origin, n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (key,) = _attributes(attributes, 1)
    if write.is_delete:
        return partial(scan.exceptions.end, clean(key))
    case = records.exception(typed.members(write.value))

    def gather() -> None:
        if case.item is not None:
            scan._thing(case.item, describe(case.item, is_class=False).kind != "instance")
        for party in case.parties:
            scan._party(party)
        scan.exceptions.put(clean(key), origin, n, case)

    return gather


def _note(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    digest = digest_of(attributes)
    note = records.NO_NOTE if write.is_delete else records.note(typed.members(write.value))

    def gather() -> None:
        scan.notes[digest] = note
        for identifier in note.ids:
            scan.aliases[(identifier, digest)] = None

    return gather


def _alias(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (identifier,) = _attributes(attributes, 1)
    digest = records.alias(_kept(write))

    def gather() -> None:
        if (clean(identifier), digest) not in scan._own_ids:
            scan.aliases[(clean(identifier), digest)] = None

    return gather


def _party_record(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (uri,) = _attributes(attributes, 1)
    row = records.party(_kept(write))

    def gather() -> None:
        scan.party_records[scan._party(uri) or uri] = row

    return gather


def _place_record(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (uri,) = _attributes(attributes, 1)
    record = _kept(write)
    row = records.place(record)
    head = (bool(typed.flag(record, "adopted")), typed.text(record, "msp"), typed.text(record, "party"))

    def gather() -> None:
        place = scan._place(uri) or uri
        scan.place_records[place] = (True, *head[:2], scan._party(head[2]), *row)

    return gather


def _device(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (key,) = _attributes(attributes, 1)
    record = _kept(write)
    row, msp, party = records.device(record), typed.text(record, "msp"), typed.text(record, "party")

    def gather() -> None:
        scan.devices[clean(key)] = (msp, scan._party(party), *row)

    return gather


def _device_chain(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (key,) = _attributes(attributes, 1)
    row = records.device_chain(_kept(write))

    def gather() -> None:
        scan.device_chains[clean(key)] = row

    return gather


def _publication(scan: Scan, origin: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    kind, key = (clean(part) for part in _attributes(attributes, 2))
    record = _kept(write)
    said = (typed.text(record, "digest"), typed.text(record, "msp"), typed.text(record, "submitter"))

    def gather() -> None:
        scan.published[(kind, key)] = (kind, key, *said, origin.transaction, origin.timestamp, dump(record))

    return gather


def _master_data(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    identifier, msp = (clean(part) for part in _attributes(attributes, 2))
    row = None if write.is_delete else records.master_data(typed.members(write.value))

    def gather() -> None:
        scan.master_data[(identifier, msp)] = row

    return gather


def _configuration(scan: Scan, _o: Origin, _n: int, attributes: list[str], write: Write) -> Callable[[], None]:
    (key,) = _attributes(attributes, 1)
    document = dump(_kept(write))

    def gather() -> None:
        scan.config[clean(key)] = document

    return gather


_READERS: dict[str, Reader] = {
    "TH": _state,
    "LT": _lot_header,
    "LB": _balance,
    "IQ": _packed,
    "HO": _handoff,
    "EX": _exception,
    "EA": _note,
    "ID": _alias,
    "PY": _party_record,
    "PL": _place_record,
    "DV": _device,
    "DC": _device_chain,
    "PB": _publication,
    "MD": _master_data,
    "CF": _configuration,
}
"""Key types that are projected beside events. IN says what TH's parent says; the rest is the contract's own memory."""
