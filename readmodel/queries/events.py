"""EPCIS's simple event query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, func, or_, select, type_coerce
from sqlmodel import col

from readmodel.columns import Timestamp, from_micros, to_micros
from readmodel.identifiers import clean, hash_hex
from readmodel.queries.paging import Page, Query, decode, encode, limited, paged
from readmodel.queries.records import EventRecord, event_records, select_events
from readmodel.tables import Event, EventAlias, EventEpc, EventLink, Place, Thing

_FEW = 10_000
_EPCS = ("epcList", "childEPCs")
_CLASSES = ("quantityList", "childQuantityList")


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What events must match: every field that is given, and within a field any of its values.

    Identifiers are canonical Digital Links; bizSteps and dispositions as they are stored (bare CBV words). A
    product (GTIN) or lot among the things stands for its instances and lots too.
    """

    event_types: Sequence[str] = ()
    ge_event_time: datetime | None = None
    lt_event_time: datetime | None = None
    ge_record_time: datetime | None = None
    lt_record_time: datetime | None = None
    actions: Sequence[str] = ()
    biz_steps: Sequence[str] = ()
    dispositions: Sequence[str] = ()
    read_points: Sequence[str] = ()
    biz_locations: Sequence[str] = ()
    event_ids: Sequence[str] = ()
    """Event hashes (ni URIs) or eventIDs that clients gave."""
    transformation_ids: Sequence[str] = ()
    biz_transactions: dict[str, Sequence[str]] = field(default_factory=dict)
    """Values by type; type "" stands for any."""
    sources: dict[str, Sequence[str]] = field(default_factory=dict)
    destinations: dict[str, Sequence[str]] = field(default_factory=dict)
    match_epc: Sequence[str] = ()
    match_parent_id: Sequence[str] = ()
    match_input_epc: Sequence[str] = ()
    match_output_epc: Sequence[str] = ()
    match_any_epc: Sequence[str] = ()
    match_epc_class: Sequence[str] = ()
    match_input_epc_class: Sequence[str] = ()
    match_output_epc_class: Sequence[str] = ()
    match_any_epc_class: Sequence[str] = ()
    msps: Sequence[str] = ()
    order_by: Literal["eventTime", "recordTime"] = "eventTime"
    direction: Literal["ASC", "DESC"] = "DESC"


_ROLES: dict[str, tuple[str, ...]] = {
    "match_epc": _EPCS,
    "match_parent_id": ("parentID",),
    "match_input_epc": ("inputEPCList",),
    "match_output_epc": ("outputEPCList",),
    "match_any_epc": (*_EPCS, "parentID", "inputEPCList", "outputEPCList"),
    "match_epc_class": _CLASSES,
    "match_input_epc_class": ("inputQuantityList",),
    "match_output_epc_class": ("outputQuantityList",),
    "match_any_epc_class": (*_CLASSES, "inputQuantityList", "outputQuantityList"),
}
_ORDERS: dict[str, Any] = {
    "eventTime": col(Event.event_time),
    "recordTime": col(Event.record_time),
}


def find_events(
    connection: Connection, wanted: EventFilter, *, per_page: int = 30, token: str | None = None
) -> Page[EventRecord]:
    """A page of the events that match.

    Walking the pages gives each event that was on the ledger at the first page exactly once, and none
    recorded since, however many are. :class:`~readmodel.queries.paging.InvalidTokenError` for a token of
    somebody else's.
    """
    per_page = limited(per_page)
    if token is None:
        upto = connection.scalar(select(func.max(col(Event.id)))) or 0
        after = None
    else:
        upto, *after = decode(token, 3)
    # The sum keeps the limit on ids, which is for late comers, from being taken for a way to find events.
    limit = (col(Event.id) + 0) <= upto
    few = _recorded_few(connection, wanted)
    rows = _merged(
        [
            connection.execute(_ordered(_select(branch).where(limit), branch, after, few).limit(per_page + 1)).all()
            for branch in _branches(wanted)
        ],
        wanted,
    )

    def next_token(row: Any) -> str:
        moment, identity = _key(row, wanted)
        return encode(upto, to_micros(moment), identity)

    return paged(rows, per_page, lambda shown: event_records(connection, shown), next_token)


def _select(wanted: EventFilter) -> Query:
    return select_events().where(*_conditions(wanted))


def _recorded_few(connection: Connection, wanted: EventFilter) -> bool:
    """Whether so few events were recorded in the given time that it is quicker to sort them than to look
    for them in the order of event time. A database without statistics on single values cannot tell.
    """
    conditions = _bounds(col(Event.record_time), wanted.ge_record_time, wanted.lt_record_time)
    if not conditions or wanted.order_by == "recordTime":
        return False
    some = select(col(Event.id)).where(*conditions).limit(_FEW + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(some)) or 0) <= _FEW


def _branches(wanted: EventFilter) -> list[EventFilter]:
    """A filter for each value of a list of words or places.

    An index gives the events of one word in order of time, so a page of them costs a page; for several words at
    once the database would have to collect and sort them all.
    """
    for name in ("biz_steps", "dispositions", "read_points", "biz_locations", "event_types", "actions", "msps"):
        values = dict.fromkeys(getattr(wanted, name))
        if len(values) > 1:
            return [replace(wanted, **_only(name, value)) for value in values]
    return [wanted]


def _only(name: str, value: str) -> Any:
    return {name: (value,)}


def _merged(branches: list[Sequence[Any]], wanted: EventFilter) -> list[Any]:
    """The rows of all branches in order; no event is in two."""
    if len(branches) == 1:
        return list(branches[0])
    rows = [row for branch in branches for row in branch]
    rows.sort(key=lambda row: _key(row, wanted), reverse=wanted.direction == "DESC")
    return rows


def _key(row: Any, wanted: EventFilter) -> tuple[datetime, int]:
    return (row.record_time if wanted.order_by == "recordTime" else row.event_time, row.id)


def count_events(connection: Connection, wanted: EventFilter, at_most: int) -> int:
    """How many events match, counting no further than ``at_most``."""
    some = select(col(Event.id)).where(*_conditions(wanted)).limit(at_most).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


_PLAIN_FIRST = (col(Event.declares).is_not(None), col(Event.id))


def event(connection: Connection, identity: str) -> EventRecord | None:
    """The event with this hash (ni URI or hex) or eventID, its own or one that it was given later.

    An error declaration has the eventID of what it declares: the event itself comes first, then by when the ledger
    got them.
    """
    query = select_events().where(_identified((identity,))).order_by(*_PLAIN_FIRST).limit(1)
    return next(iter(event_records(connection, connection.execute(query).all())), None)


def event_and_declarations(connection: Connection, identity: str) -> list[EventRecord]:
    """The event, then the declarations that took it back, in the ledger's order; nothing where there is no event."""
    found = event(connection, identity)
    if found is None:
        return []
    names = [hash_hex(declaration.event) for declaration in found.declared_in_error]
    query = select_events().where(col(Event.hash).in_(names)).order_by(col(Event.id))
    return [found, *event_records(connection, connection.execute(query).all() if names else [])]


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions = [*_times(wanted), *_words(wanted), *_linked(wanted)]
    for name, roles in _ROLES.items():
        if uris := getattr(wanted, name):
            conditions.append(_names_thing(uris, roles))
    if wanted.event_ids:
        conditions.append(_identified(wanted.event_ids))
    return conditions


def _times(wanted: EventFilter) -> list[ColumnElement[bool]]:
    return [
        *_bounds(col(Event.event_time), wanted.ge_event_time, wanted.lt_event_time),
        *_bounds(col(Event.record_time), wanted.ge_record_time, wanted.lt_record_time),
    ]


def _bounds(column: Any, lowest: datetime | None, limit: datetime | None) -> list[ColumnElement[bool]]:
    conditions = [] if lowest is None else [column >= lowest]
    return conditions if limit is None else [*conditions, column < limit]


def _words(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, words in (
        (col(Event.type), wanted.event_types),
        (col(Event.action), wanted.actions),
        (col(Event.biz_step), wanted.biz_steps),
        (col(Event.disposition), wanted.dispositions),
        (col(Event.msp), wanted.msps),
    ):
        if words:
            conditions.append(_one_of(column, _cleaned(words)))
    for location, uris in (
        (col(Event.read_point_id), wanted.read_points),
        (col(Event.biz_location_id), wanted.biz_locations),
    ):
        if uris:
            places = select(col(Place.id)).where(_one_of(col(Place.uri), _cleaned(uris)))
            conditions.append(location == places.scalar_subquery() if len(uris) == 1 else location.in_(places))
    return conditions


def _linked(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    links = (
        ("bizTransaction", wanted.biz_transactions),
        ("source", wanted.sources),
        ("destination", wanted.destinations),
        ("transformation", {"": wanted.transformation_ids} if wanted.transformation_ids else {}),
    )
    for kind, by_type in links:
        for link_type, values in by_type.items():
            query = select(col(EventLink.event_id)).where(
                col(EventLink.kind) == kind, col(EventLink.value).in_(_cleaned(values))
            )
            if link_type:
                query = query.where(col(EventLink.type) == link_type)
            conditions.append(col(Event.id).in_(query))
    return conditions


def _names_thing(uris: Sequence[str], roles: tuple[str, ...]) -> ColumnElement[bool]:
    named = select(col(Thing.id)).where(col(Thing.uri).in_(_cleaned(uris)))
    things = named.union(
        select(col(Thing.id)).where(col(Thing.lot_id).in_(named)),
        select(col(Thing.id)).where(col(Thing.product_id).in_(named.where(col(Thing.kind) == "product"))),
    )
    rows = select(col(EventEpc.event_id)).where(col(EventEpc.thing_id).in_(things), col(EventEpc.role).in_(roles))
    return col(Event.id).in_(rows)


def _identified(identities: Sequence[str]) -> ColumnElement[bool]:
    hashes = [hash_hex(identity) for identity in identities]
    given = _cleaned(identities)
    also = select(col(EventAlias.hash)).where(col(EventAlias.identifier).in_(given))
    return or_(col(Event.hash).in_(hashes), col(Event.event_id).in_(given), col(Event.hash).in_(also))


def _ordered(query: Query, wanted: EventFilter, after: Sequence[int] | None, few: bool) -> Query:
    column, falling = _ORDERS[wanted.order_by], wanted.direction == "DESC"
    if few:
        # A sum is of no use to an index, so the few are found first and then sorted.
        column = type_coerce(type_coerce(column, BigInteger) + 0, Timestamp)
    query = query.order_by(*(part.desc() if falling else part.asc() for part in (column, col(Event.id))))
    if after is None:
        return query
    beyond_id = col(Event.id) < after[1] if falling else col(Event.id) > after[1]
    moment = from_micros(after[0])
    beyond, reached = (column < moment, column <= moment) if falling else (column > moment, column >= moment)
    # "reached" says nothing new, but it is what an index on the column can use.
    return query.where(and_(reached, or_(beyond, beyond_id)))


def _one_of(column: Any, values: Sequence[str]) -> ColumnElement[bool]:
    """Equal to the value, or in the values: only the former lets an index give the order too."""
    condition: ColumnElement[bool] = column == values[0] if len(values) == 1 else column.in_(values)
    return condition


def _cleaned(texts: Sequence[str]) -> list[str]:
    return [clean(text) for text in texts]
