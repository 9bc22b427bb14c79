"""Everything a run learns from, read in one transaction: no block that comes meanwhile is half seen, and one digest covers it all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, func, select
from sqlmodel import col

from forecasting import history, lanes
from forecasting.findings import Finding, ordered
from forecasting.history import History
from forecasting.late import Journey
from forecasting.recipe import RECIPE
from forecasting.series import Frequency
from readmodel.queries.exceptions import ExceptionRecord, exceptions
from readmodel.queries.handoffs import HandoffFilter, handoffs
from readmodel.queries.stock import Stock, on_hand
from readmodel.queries.transit import Transit
from readmodel.tables import Block

_EXCEPTIONS = 60


@dataclass(frozen=True)
class Snapshot:
    """``inbound`` is by product and place; ``evidence`` has the release events of open handoffs."""

    as_of: datetime
    block: int | None
    demand: History | None
    transit: History | None
    journeys: list[Journey]
    evidence: dict[str, tuple[str, ...]]
    inbound: dict[tuple[str, str], float]
    stock: list[Stock]
    exceptions: list[ExceptionRecord]

    @property
    def findings(self) -> list[Finding]:
        """Of all histories."""
        return ordered(one for part in (self.demand, self.transit) if part for one in part.findings)

    def digest(self, **parameters: Any) -> str:
        """SHA-256 over everything that was learned from, the recipe and the parameters, in canonical order and fixed decimals.

        The block's number is not in it: what later blocks did not change is the same snapshot.
        """
        digest = hashlib.sha256()
        for line in self._lines(parameters):
            digest.update(line + b"\n")
        return digest.hexdigest()

    def _lines(self, parameters: dict[str, Any]) -> Iterable[bytes]:
        yield _line(["recipe", RECIPE, self.as_of.isoformat(), sorted(parameters.items())])
        for part in (self.demand, self.transit):
            for row, one in enumerate(part.series if part else ()):
                panel = part.panel if part else None
                assert panel is not None
                yield _line([
                    one.unique_id, one.kind, str(one.start), one.frequency.code, one.frequency.horizon, one.party, one.country,
                    [f"{value:.6f}" for value in panel.y[row]],
                    [] if panel.doubted is None else [int(v) for v in panel.doubted[row] if v < panel.y.shape[1]],
                    [f"{value:.6f}" for value in panel.known[row].ravel()],
                ])  # fmt: skip
        for journey in self.journeys:
            yield _line([str(getattr(journey, name)) for name in journey.__dataclass_fields__])
        for kept in (self.evidence, {" ".join(key): f"{amount:.6f}" for key, amount in self.inbound.items()}):
            for name, value in sorted(kept.items()):
                yield _line([name, value])
        for stock in sorted(self.stock, key=str):
            yield _line([str(value) for value in stock])
        for found in self.exceptions:
            yield _line([found.id, found.kind, found.severity, str(found.opened_at)])


def _line(value: Any) -> bytes:
    return orjson.dumps(value, default=str)


def take(engine: Engine, as_of: datetime | None, frequency: Frequency | None) -> Snapshot | None:
    """Read it; None where there is no event."""
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        now = as_of or history.newest(connection)
        if now is None:
            return None
        block: int | None = connection.execute(select(func.max(col(Block.number)))).scalar()
        rows = lanes.journeys(connection, now)
        evidence, inbound = _under_way(connection)
        demand = history.demand(connection, now, frequency)
        places = sorted({one.place for one in demand.series if one.place}) if demand else []
        return Snapshot(
            now, block, demand, lanes.transit(rows, now), promised(rows, now, evidence), evidence, inbound,
            list(on_hand(connection, places)) if places else [],
            list(exceptions(connection, status="open", per_page=_EXCEPTIONS).items),
        )  # fmt: skip


def promised(rows: Iterable[Transit], as_of: datetime, evidence: dict[str, tuple[str, ...]]) -> list[Journey]:
    """Handoffs with a promise, as the late model sees them."""
    return [
        Journey(
            id=row.handoff,
            released=row.released_at,
            promised=row.promised_at,
            arrived=row.accepted_at if row.accepted_at is not None and row.accepted_at < as_of else None,
            sender=row.from_party or "",
            receiver=row.to_party or "",
            origin=row.from_place or row.from_party or "",
            destination=row.to_place or row.to_party or "",
            country=row.to_country or "",
            quantity=row.quantity or 0.0,
            evidence=evidence.get(row.handoff, ()),
            item=row.item,
        )
        for row in rows
        if row.released_at is not None and row.promised_at is not None and row.promised_at > row.released_at
    ]


def _under_way(connection: Connection) -> tuple[dict[str, tuple[str, ...]], dict[tuple[str, str], float]]:
    """Release events of open handoffs, and what they bring by product and place."""
    evidence: dict[str, tuple[str, ...]] = {}
    inbound: dict[tuple[str, str], float] = {}
    token: str | None = None
    while True:
        page = handoffs(connection, HandoffFilter(statuses=("released", "disputed")), per_page=500, token=token)
        for handoff in page.items:
            evidence[handoff.id] = tuple(handoff.release_events)
            for line in handoff.lines:
                key = (line.product, handoff.to_place or "")
                inbound[key] = inbound.get(key, 0.0) + (line.released or 0.0) - (line.accepted or 0.0)
        token = page.next
        if token is None:
            return evidence, inbound


def limited(part: History, most: int | None) -> History:
    """The series with the most periods of demand, when there are more than wanted; in order of their ids."""
    if most is None or len(part.series) <= most:
        return part
    order = sorted(
        range(len(part.series)), key=lambda row: (-int((part.series[row].y > 0).sum()), part.series[row].unique_id)
    )
    rows = sorted(order[:most])
    return replace(part, series=[part.series[row] for row in rows], panel=part.panel.take(rows))
