"""The morning's numbers: what moves, what is late, what may run out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select
from sqlmodel import SQLModel, col

from readmodel.bulk import table_of
from readmodel.columns import to_micros
from readmodel.flows import day_of
from readmodel.forecast_tables import Disruption, ForecastRun
from readmodel.queries.handoffs import HandoffFilter, HandoffRecord, handoffs, late
from readmodel.queries.paging import pick
from readmodel.tables import (
    Block,
    DailyFlow,
    Event,
    ExceptionCase,
    Handoff,
    Party,
    Place,
    Quarantine,
    Refusal,
    Thing,
    Transaction,
)

_FIRST_DAY = date(1970, 1, 1)
_origin, _target = table_of(Place).alias("origin"), table_of(Place).alias("target")


@dataclass(frozen=True, slots=True)
class Lane:
    """How many handoffs are on their way from one place to another."""

    from_place: str | None
    from_name: str | None
    to_place: str | None
    to_name: str | None
    handoffs: int
    late: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """Movements of one kind on one (UTC) day."""

    day: date
    flow: str
    movements: int


@dataclass(frozen=True, slots=True)
class Risk:
    """What forecasting warns of: see :class:`readmodel.forecast_tables.Disruption`."""

    id: str
    kind: str
    severity: str
    subject: str
    detail: str
    expected_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of the network at a moment."""

    at: datetime
    block: int | None
    recorded_at: datetime | None
    """Time of the last transaction."""
    newest_event: datetime | None
    """What is told last may have happened long ago."""
    events: int
    things: int
    parties: int
    places: int
    transactions: int
    invalid_transactions: int
    in_transit: int
    late: int
    handoffs: int
    open_exceptions: dict[str, int]
    refusals: int
    """Attempts that the contract refused in the days before the last transaction."""
    quarantined: int
    """Records on the ledger that cannot be read."""
    lanes: list[Lane]
    most_late: list[HandoffRecord]
    movements: list[DayCount]
    risks: list[Risk]
    forecast_run: int | None


def overview(connection: Connection, at: datetime, *, days: int = 30, top: int = 10) -> Overview:
    """Numbers as of ``at``, with movements of the ``days`` before it and the ``top`` of each list.

    Most totals are highest ids, which are dense, so nothing here reads the ledger from end to end; handoffs, which
    may go again, are counted in an index.
    """
    last = connection.execute(
        select(col(Transaction.block), col(Transaction.timestamp)).order_by(col(Transaction.id).desc()).limit(1)
    ).one_or_none()
    run = connection.scalar(select(func.max(col(ForecastRun.id))))
    open_late = HandoffFilter(statuses=("released",), late_at=at, order="promised")
    return Overview(
        at=at,
        block=connection.scalar(select(func.max(col(Block.number)))),
        recorded_at=None if last is None else last[1],
        newest_event=connection.scalar(select(func.max(col(Event.event_time)))),
        events=_last(connection, Event),
        things=_last(connection, Thing),
        parties=_last(connection, Party),
        places=_last(connection, Place),
        transactions=_last(connection, Transaction),
        invalid_transactions=_count(connection, col(Transaction.code) > 0),
        in_transit=_count(connection, *_under_way()),
        late=_count(connection, *_under_way(), late(at)),
        handoffs=connection.scalar(select(func.count()).select_from(Handoff)) or 0,
        open_exceptions=_open_exceptions(connection),
        refusals=0 if last is None or last[1] is None else _refusals(connection, last[1] - timedelta(days=days)),
        quarantined=connection.scalar(select(func.count()).select_from(Quarantine)) or 0,
        lanes=_lanes(connection, at, top),
        most_late=handoffs(connection, open_late, per_page=top).items,
        movements=_movements(connection, at, days),
        risks=[] if run is None else _risks(connection, run, top),
        forecast_run=run,
    )


def _refusals(connection: Connection, since: datetime) -> int:
    query = select(func.count()).select_from(Refusal).where(col(Refusal.refused_at) >= since)
    return connection.scalar(query) or 0


def _last(connection: Connection, model: type[SQLModel]) -> int:
    return connection.scalar(select(func.max(table_of(model).c.id))) or 0


def _count(connection: Connection, *conditions: object) -> int:
    return connection.scalar(pick(func.count()).where(*conditions)) or 0  # type: ignore[arg-type]


def _under_way() -> tuple[ColumnElement[bool], ...]:
    """Released and nothing of it accepted; part of a lot may be missing, but then it is an exception, not
    on its way."""
    return (col(Handoff.status) == "released", col(Handoff.accepted_at).is_(None))


def _open_exceptions(connection: Connection) -> dict[str, int]:
    query = (
        select(col(ExceptionCase.kind), func.count())
        .where(col(ExceptionCase.status) == "open")
        .group_by(col(ExceptionCase.kind))
        .order_by(func.count().desc(), col(ExceptionCase.kind))
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _lanes(connection: Connection, at: datetime, top: int) -> list[Lane]:
    count, overdue = func.count(), func.count().filter(col(Handoff.promised_at) < at)
    query = (
        pick(_origin.c.uri, _origin.c.name, _target.c.uri, _target.c.name, count, overdue)
        .select_from(Handoff)
        .outerjoin(_origin, _origin.c.id == col(Handoff.from_place_id))
        .outerjoin(_target, _target.c.id == col(Handoff.to_place_id))
        .where(*_under_way())
        .group_by(_origin.c.uri, _origin.c.name, _target.c.uri, _target.c.name)
        .order_by(count.desc(), _origin.c.uri, _target.c.uri)
        .limit(top)
    )
    return [Lane(*row) for row in connection.execute(query)]


def _movements(connection: Connection, at: datetime, days: int) -> list[DayCount]:
    today = day_of(to_micros(at))
    query = (
        select(col(DailyFlow.day), col(DailyFlow.flow), func.sum(col(DailyFlow.movements)))
        .where(col(DailyFlow.day) > today - days, col(DailyFlow.day) <= today)
        .group_by(col(DailyFlow.day), col(DailyFlow.flow))
        .order_by(col(DailyFlow.day), col(DailyFlow.flow))
    )
    return [DayCount(_FIRST_DAY + timedelta(days=day), flow, int(n)) for day, flow, n in connection.execute(query)]


_SEVERITY = ("critical", "high", "medium", "low")


def _risks(connection: Connection, run: int, top: int) -> list[Risk]:
    query = pick(
        col(Disruption.id),
        col(Disruption.kind),
        col(Disruption.severity),
        col(Disruption.subject),
        col(Disruption.detail),
        col(Disruption.expected_at),
    ).where(col(Disruption.run_id) == run)
    risks = [Risk(*row) for row in connection.execute(query)]
    risks.sort(key=lambda risk: (_rank(risk.severity), str(risk.expected_at or "~"), risk.id))
    return risks[:top]


def _rank(severity: str) -> int:
    return _SEVERITY.index(severity) if severity in _SEVERITY else len(_SEVERITY)
