"""Turn what a scan gathered into rows: the ledger itself, events, the state of things and quantities, exceptions."""

from __future__ import annotations

from collections.abc import Collection

from readmodel.bulk import Bulk, Row
from readmodel.declarations import Notes, Outcome
from readmodel.ids import Ids
from readmodel.intervals import Fact
from readmodel.quarantine import COLUMNS as QUARANTINE_COLUMNS
from readmodel.refusals import write_refusals
from readmodel.registry import write_registry
from readmodel.scan import Scan
from readmodel.tables import (
    Balance,
    Block,
    Event,
    EventEpc,
    EventLink,
    ExceptionCase,
    ExceptionParty,
    PackedQuantity,
    Quarantine,
    RecallMark,
    Transaction,
    Transformation,
    TransformationEdge,
)
from readmodel.things import write_things

_TRANSACTION = (
    *("id", "block", "position", "tx_id", "type", "timestamp", "msp", "function", "code"),
    *("valid", "events"),
)
_EVENT = (
    *("id", "hash", "event_hash", "event_id", "type", "action", "biz_step", "disposition", "event_time"),
    *("time_zone", "record_time", "read_point_id", "biz_location_id", "party_id", "msp", "submitter"),
    *("device", "flags", "declares", "transaction_id", "stored", "declared_by", "reporters"),
)
_EDGE = ("thing_id", "side", "transformation_id", "event_id", "n", "event_time", "quantity", "uom")


def write_scan(bulk: Bulk, scan: Scan, ids: Ids, notes: dict[str, Notes]) -> None:
    """Write the scan's rows; afterwards every name in it has an id."""
    for names, met in ((ids.parties, scan.parties), (ids.places, scan.places)):
        fresh = names.resolve(bulk, met)
        columns = ("id", "uri", "registered", "adopted")
        bulk.insert(names.model, columns, [(identity, uri, False, False) for uri, identity in fresh.items()])
    write_things(bulk, scan, ids)
    bulk.insert(Block, ("number", "header_hash", "previous_hash", "data_hash", "transactions"), scan.blocks)
    bulk.insert(Transaction, _TRANSACTION, scan.transactions)
    bulk.insert(Quarantine, QUARANTINE_COLUMNS, scan.quarantine)
    write_refusals(bulk, scan.refusals)
    _events(bulk, scan, ids, notes)
    _quantities(bulk, scan, ids)
    _exceptions(bulk, scan, ids)
    write_registry(bulk, scan, ids)


def write_recalls(bulk: Bulk, ids: Ids, outcome: Outcome) -> None:
    """Keep what is said of recalls."""
    things = ids.things.known
    columns = ("thing_id", "event_time", "event_id", "recalled")
    bulk.insert(RecallMark, columns, [(things[row.thing], *row[1:]) for row in outcome.given.recalls])
    bulk.delete(RecallMark, columns[:3], [(things[row.thing], *row[1:3]) for row in outcome.taken.recalls])


def write_transformations(bulk: Bulk, scan: Scan, ids: Ids, outcome: Outcome) -> None:
    """Keep the makings, and what went into them and came out."""
    new = ids.transformations.resolve(bulk, scan.transformations)
    rows = [(identity, key, scan.transformations[key]) for key, identity in new.items()]
    bulk.insert(Transformation, ("id", "key", "transformation_id"), rows)
    edges, unmade = outcome.given.edges, outcome.taken.edges
    ids.transformations.resolve(bulk, sorted({edge.key for edge in (*edges, *unmade)}))
    things, known = ids.things.known, ids.transformations.known
    bulk.insert(
        TransformationEdge,
        _EDGE,
        [(things[thing], side, known[key], *rest) for thing, side, key, *rest in edges],
    )
    gone = [(things[edge.thing], edge.side, known[edge.key], edge.event, edge.n) for edge in unmade]
    bulk.delete(TransformationEdge, _EDGE[:5], gone)


def facts(packings: Collection[Row], ids: Ids) -> list[Fact]:
    """Statements about children and parents, by id."""
    known = ids.things.known
    return [
        Fact(
            0 if child is None else known[child],
            0 if parent is None else known[parent],
            time,
            event,
            n,
            kind,
            action,
            quantity,
            uom,
            mark,
        )
        for child, parent, time, event, n, kind, action, mark, quantity, uom in packings
    ]


def _events(bulk: Bulk, scan: Scan, ids: Ids, notes: dict[str, Notes]) -> None:
    things, parties, places = ids.things.known, ids.parties.known, ids.places.known
    rows = [
        (
            *row[:11],
            row[11] and places[row[11]],
            row[12] and places[row[12]],
            row[13] and parties[row[13]],
            *row[14:],
            *notes.get(row[1], _NO_NOTES),
        )
        for row in scan.events
    ]
    bulk.insert(Event, _EVENT, rows)
    columns = ("thing_id", "event_time", "event_id", "n", "role", "quantity", "uom")
    # In the order of the table's own tree: pages are filled one after another.
    bulk.insert(EventEpc, columns, sorted((things[epc[0]], *epc[1:]) for epc in scan.epcs))
    bulk.insert(EventLink, ("kind", "value", "type", "event_id"), sorted(scan.links))


_NO_NOTES = Notes()


def _quantities(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    things = ids.things.known
    kept: list[Row] = []
    gone: list[Row] = []
    for (lot, holder, place), balance in scan.balances.items():
        key = (things[lot], ids.party(holder) or 0, ids.place(place) or 0)
        if balance is None:
            gone.append(key)
        else:
            kept.append((*key, *balance))
    columns = ("thing_id", "holder_id", "place_id", "quantity", "amount", "uom", "updated_at")
    bulk.upsert(Balance, columns, kept)
    bulk.delete(Balance, columns[:3], gone)
    pairs = {(things[parent], things[child]): loose for (parent, child), loose in scan.packed.items()}
    packed = [(*pair, *loose) for pair, loose in pairs.items() if loose is not None]
    bulk.upsert(PackedQuantity, ("parent_id", "thing_id", "quantity", "uom"), packed)
    unpacked = [pair for pair, loose in pairs.items() if loose is None]
    bulk.delete(PackedQuantity, ("parent_id", "thing_id"), unpacked)


_EXCEPTION = (
    *("id", "key", "kind", "status", "handoff", "item_id", "event", "closed_by"),
    *("detail", "opened_at", "closed_at"),
)


def _exceptions(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    known, new, gone = scan.exceptions.resolve(bulk, "exception")
    cases = dict(scan.exceptions)
    rows = {key: (known[key], key, *case[:3], ids.thing(case.item), *case[4:9]) for key, case in cases.items()}
    rewritten = [(identity,) for identity in {*gone, *(known[key] for key in known if key not in new)}]
    bulk.delete(ExceptionParty, ("exception_id",), rewritten)
    bulk.delete(ExceptionCase, ("id",), [(identity,) for identity in gone])
    bulk.insert(ExceptionCase, _EXCEPTION, [rows[key] for key in new])
    bulk.update(ExceptionCase, _EXCEPTION, [row for key, row in rows.items() if key not in new])
    links = {(known[key], ids.parties.known[party]): None for key, case in cases.items() for party in case.parties}
    bulk.insert(ExceptionParty, ("exception_id", "party_id"), list(links))
