"""Turn what a scan gathered into rows of the tables, all but containment and handoffs, which need a look
back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from readmodel.bulk import Bulk, Row
from readmodel.columns import dump, to_millionths
from readmodel.identifiers import clean, describe, hash_hex
from readmodel.intervals import Fact
from readmodel.names import Names
from readmodel.scan import Scan, micros
from readmodel.tables import (
    Balance,
    Block,
    Config,
    Device,
    Event,
    EventEpc,
    EventLink,
    ExceptionCase,
    ExceptionParty,
    PackedQuantity,
    Party,
    Place,
    Published,
    RecallMark,
    Thing,
    Transaction,
    Transformation,
    TransformationEdge,
)

_STATE = (
    *("lot_id", "msp", "holder_id", "place_id", "parent_id"),
    *("status", "disposition", "commissioned", "updated_at", "endorsers"),
)
_STATELESS: Row = (None,) * (len(_STATE) - 1)


class Ids:
    """The ids of everything that has a name."""

    def __init__(self) -> None:
        self.things = Names(Thing, "uri")
        self.parties = Names(Party, "uri")
        self.places = Names(Place, "uri")
        self.transformations = Names(Transformation, "key")
        self.exceptions = Names(ExceptionCase, "key")

    def forget(self) -> None:
        """After a failed transaction."""
        for names in vars(self).values():
            names.forget()

    def trim(self) -> None:
        """Between batches."""
        for names in vars(self).values():
            names.trim()

    def thing(self, uri: str | None) -> int | None:
        """The id of a thing the scan met."""
        return None if uri is None else self.things.known[clean(uri)]

    def party(self, uri: str | None) -> int | None:
        """The id of a party the scan met."""
        return None if uri is None else self.parties.known[clean(uri)]

    def place(self, uri: str | None) -> int | None:
        """The id of a place the scan met."""
        return None if uri is None else self.places.known[clean(uri)]


def write_scan(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    """Write the scan's rows; afterwards every name in it has an id."""
    written = _names(bulk, scan, ids)
    _ledger(bulk, scan)
    _events(bulk, scan, ids)
    _transformations(bulk, scan, ids)
    _states(bulk, scan, ids, written)
    _quantities(bulk, scan, ids)
    _exceptions(bulk, scan, ids)
    _registry(bulk, scan, ids)


def facts(scan: Scan, ids: Ids) -> list[Fact]:
    """The scan's statements about children and parents, by id."""
    known = ids.things.known
    return [
        Fact(0 if row[0] is None else known[row[0]], 0 if row[1] is None else known[row[1]], *row[2:])
        for row in scan.packings
    ]


def _names(bulk: Bulk, scan: Scan, ids: Ids) -> set[str]:
    """Give ids to all names, write the new ones; returns the things whose state is written with that."""
    for names, met in ((ids.parties, scan.parties), (ids.places, scan.places)):
        fresh = names.resolve(bulk, met)
        columns = ("id", "uri", "registered", "adopted")
        bulk.insert(names.model, columns, [(identity, uri, False, False) for uri, identity in fresh.items()])
    new = ids.things.resolve(bulk, scan.things)
    known = ids.things.known
    rows: list[Row] = []
    for uri, identity in new.items():
        description = scan.things[uri]
        product = None if description.product is None else known[description.product]
        state = scan.states.get(uri)
        if state is None:
            lot = None if description.lot is None else known[description.lot]
            rows.append((identity, uri, description.kind, product, lot, *_STATELESS))
        else:
            rows.append((identity, uri, description.kind, product, *_state(uri, state, ids)))
    bulk.insert(Thing, ("id", "uri", "kind", "product_id", *_STATE), rows)
    return set(new)


def _ledger(bulk: Bulk, scan: Scan) -> None:
    bulk.insert(Block, ("number", "header_hash", "previous_hash", "data_hash", "transactions"), scan.blocks)
    columns = (
        "id",
        "block",
        "position",
        "tx_id",
        "type",
        "timestamp",
        "msp",
        "function",
        "code",
        "valid",
        "events",
    )
    bulk.insert(Transaction, columns, scan.transactions)


_EVENT = (
    "id",
    "hash",
    "event_id",
    "type",
    "action",
    "biz_step",
    "disposition",
    "event_time",
    "time_zone",
    "record_time",
    "read_point_id",
    "biz_location_id",
    "party_id",
    "msp",
    "submitter",
    "device",
    "flags",
    "declares",
    "transaction_id",
    "stored",
)


def _events(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    things, parties, places = ids.things.known, ids.parties.known, ids.places.known
    rows = [
        (
            *row[:10],
            row[10] and places[row[10]],
            row[11] and places[row[11]],
            row[12] and parties[row[12]],
            *row[13:],
        )
        for row in scan.events
    ]
    bulk.insert(Event, _EVENT, rows)
    columns = ("thing_id", "event_time", "event_id", "n", "role", "quantity", "uom")
    # In the order of the table's own tree: pages are filled one after another.
    bulk.insert(EventEpc, columns, sorted((things[epc[0]], *epc[1:]) for epc in scan.epcs))
    bulk.insert(EventLink, ("kind", "value", "type", "event_id"), sorted(scan.links))
    marks = [(things[thing], time, event, said) for (thing, time, event), said in scan.recall_marks.items()]
    bulk.insert(RecallMark, ("thing_id", "event_time", "event_id", "recalled"), marks)


def _transformations(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    new = ids.transformations.resolve(bulk, scan.transformations)
    rows = [(identity, key, scan.transformations[key]) for key, identity in new.items()]
    bulk.insert(Transformation, ("id", "key", "transformation_id"), rows)
    things, known = ids.things.known, ids.transformations.known
    columns = ("thing_id", "side", "transformation_id", "event_id", "n", "event_time", "quantity", "uom")
    bulk.insert(
        TransformationEdge,
        columns,
        [(things[thing], side, known[key], *rest) for thing, side, key, *rest in scan.edges],
    )


def _states(bulk: Bulk, scan: Scan, ids: Ids, written: Collection[str]) -> None:
    things = ids.things.known
    changed = [(things[uri], *_state(uri, state, ids)) for uri, state in scan.states.items() if uri not in written]
    bulk.update(Thing, ("id", *_STATE), changed)
    bulk.update(
        Thing,
        ("id", "msp", "commissioned", "uom", "updated_at", "endorsers"),
        [
            (
                things[uri],
                lot.get("msp"),
                lot.get("commissioned"),
                lot.get("uom"),
                micros(lot.get("created")),
                _endorsers(lot),
            )
            for uri, lot in scan.lot_headers.items()
        ],
    )


def _state(uri: str, state: Mapping[str, Any], ids: Ids) -> Row:
    get = state.get
    return (
        ids.thing(get("lot") or describe(uri, is_class=False).lot),
        get("msp"),
        ids.party(get("holder")),
        ids.place(get("place")),
        ids.thing(get("parent")),
        get("status"),
        get("disposition"),
        get("commissioned"),
        micros(get("time")),
        _endorsers(state),
    )


def _endorsers(record: Mapping[str, Any]) -> str | None:
    named = record.get("endorsers")
    return None if named is None else dump(named)


def _quantities(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    things = ids.things.known
    kept: list[Row] = []
    gone: list[Row] = []
    for (lot, holder, place), value in scan.balances.items():
        key = (things[lot], ids.party(holder) or 0, ids.place(place) or 0)
        if value is None:
            gone.append(key)
        else:
            quantity = value["quantity"]
            amount = to_millionths(quantity)
            kept.append((*key, clean(str(quantity)), amount, value.get("uom"), micros(value.get("time"))))
    columns = ("thing_id", "holder_id", "place_id", "quantity", "amount", "uom", "updated_at")
    bulk.upsert(Balance, columns, kept)
    bulk.delete(Balance, columns[:3], gone)
    pairs = {(things[parent], things[inside]): value for (parent, inside), value in scan.packed.items()}
    packed = [(*pair, _exact(value.get("quantity")), value.get("uom")) for pair, value in pairs.items() if value]
    bulk.upsert(PackedQuantity, ("parent_id", "thing_id", "quantity", "uom"), packed)
    unpacked = [pair for pair, value in pairs.items() if value is None]
    bulk.delete(PackedQuantity, ("parent_id", "thing_id"), unpacked)


def _exact(quantity: Any) -> str | None:
    return None if quantity is None else clean(str(quantity))


def _exceptions(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    new = ids.exceptions.resolve(bulk, scan.exceptions)
    known = ids.exceptions.known
    columns = (
        *("id", "key", "kind", "status", "handoff", "item_id", "event", "closed_by"),
        *("detail", "opened_at", "closed_at"),
    )
    rows = {
        key: (
            known[key],
            key,
            value["kind"],
            value["status"],
            _cleaned(value.get("handoff")),
            ids.thing(value.get("item")),
            _hash(value.get("event")),
            _hash(value.get("closedBy")),
            _unbroken(value.get("detail")),
            micros(value.get("openedAt")),
            micros(value.get("closedAt")),
        )
        for key, value in scan.exceptions.items()
    }
    bulk.insert(ExceptionCase, columns, [rows[key] for key in new])
    bulk.update(ExceptionCase, columns, [row for key, row in rows.items() if key not in new])
    links = {
        (ids.parties.known[clean(party)], known[key]): None
        for key, value in scan.exceptions.items()
        for party in value.get("parties") or ()
    }
    bulk.upsert(ExceptionParty, ("party_id", "exception_id"), list(links))


def _registry(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    bulk.update(
        Party,
        ("id", "registered", "adopted", "msp", "name", "detail"),
        [
            (
                ids.parties.known[uri],
                True,
                bool(value.get("adopted")),
                value.get("msp"),
                _unbroken(value.get("name")),
                _detail(value),
            )
            for uri, value in scan.party_records.items()
        ],
    )
    bulk.update(
        Place,
        (
            *("id", "registered", "adopted", "msp", "party_id", "name", "kind"),
            *("latitude", "longitude", "country", "detail"),
        ),
        [_place(ids, uri, value) for uri, value in scan.place_records.items()],
    )
    bulk.upsert(
        Device,
        ("id", "msp", "party_id", "algorithm", "public_key", "name", "status"),
        [
            (
                key,
                value.get("msp"),
                ids.party(value.get("party")),
                value.get("algorithm"),
                _unbroken(value.get("publicKey")),
                _unbroken(value.get("name")),
                value.get("status"),
            )
            for key, value in scan.devices.items()
        ],
    )
    columns = ("kind", "key", "digest", "msp", "submitter", "transaction_id", "published_at", "document")
    bulk.upsert(Published, columns, list(scan.published.values()))
    bulk.upsert(Config, ("key", "document"), [(key, dump(value)) for key, value in scan.config.items()])


def _place(ids: Ids, uri: str, value: Mapping[str, Any]) -> Row:
    return (
        ids.places.known[uri],
        True,
        bool(value.get("adopted")),
        value.get("msp"),
        ids.party(value.get("party")),
        _unbroken(value.get("name")),
        _cleaned(value.get("kind")),
        _coordinate(value.get("latitude")),
        _coordinate(value.get("longitude")),
        country_of(value),
        _detail(value),
    )


def country_of(place: Mapping[str, Any]) -> str | None:
    """The country of a registered place: stated by itself, or inside its address when that has members."""
    address = place.get("address")
    sources: Iterable[Mapping[str, Any]] = (place, address) if isinstance(address, dict) else (place,)
    for source in sources:
        for member in ("country", "countryCode", "addressCountry"):
            if isinstance(found := source.get(member), str) and found:
                return clean(found)
    return None


def _coordinate(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _detail(value: Mapping[str, Any]) -> str:
    return dump(value)


def _cleaned(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _unbroken(text: str | None) -> str | None:
    """A text that is shown, not indexed: only what PostgreSQL cannot hold is replaced."""
    return None if text is None else text.replace("\x00", "\ufffd")


def _hash(uri: str | None) -> str | None:
    return None if uri is None else hash_hex(uri)
