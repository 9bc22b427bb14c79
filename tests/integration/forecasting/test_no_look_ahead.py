"""As of a moment in the past, the read model says what it said then: what came after changes nothing."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

import readmodel
from forecasting import history, lanes, late
from forecasting.history import History
from forecasting.snapshot import promised

THEN = datetime(2026, 3, 2, tzinfo=UTC)
_DAY = (THEN - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(days=1)
_MICROS = _DAY * 86_400_000_000


@pytest.fixture
def cut(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """A copy that knows nothing of what came after."""
    path = tmp_path / "then.db"
    with closing(sqlite3.connect(str(engine.url.database))) as whole, closing(sqlite3.connect(path)) as copy:
        whole.backup(copy)
        open_then = f"SELECT id FROM handoff WHERE accepted_at >= {_MICROS}"
        copy.execute(f"DELETE FROM daily_flow WHERE day >= {_DAY}")
        copy.execute(f"UPDATE handoff_line SET accepted = NULL WHERE handoff_id IN ({open_then})")
        copy.execute(f"UPDATE handoff SET accepted_at = NULL, accepted = NULL WHERE id IN ({open_then})")
        copy.execute(f"DELETE FROM handoff WHERE released_at >= {_MICROS}")
        copy.commit()
    engine = readmodel.open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def later(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """A copy in which all that came after came out otherwise: more demand, later arrivals, goods missing."""
    path = tmp_path / "otherwise.db"
    with closing(sqlite3.connect(str(engine.url.database))) as whole, closing(sqlite3.connect(path)) as copy:
        whole.backup(copy)
        open_then = f"SELECT id FROM handoff WHERE released_at < {_MICROS} AND accepted_at >= {_MICROS}"
        assert copy.execute(f"SELECT count(*) FROM ({open_then})").fetchone()[0] > 0
        copy.execute(f"UPDATE daily_flow SET quantity = 9 * quantity WHERE day >= {_DAY}")
        copy.execute(f"UPDATE handoff_line SET accepted = accepted / 2 WHERE handoff_id IN ({open_then})")
        copy.execute(f"UPDATE handoff SET accepted_at = accepted_at + 864000000000 WHERE id IN ({open_then})")
        copy.commit()
    engine = readmodel.open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def plain(found: History) -> list[tuple[object, ...]]:
    doubted = found.panel.doubted
    return [
        (one.unique_id, one.frequency, one.start, one.y.tobytes(), b"" if doubted is None else doubted[row].tobytes())
        for row, one in enumerate(found.series)
    ]


def learned(engine: Engine) -> tuple[object, ...]:
    """Series, journeys as known, and risks, as of then."""
    with engine.connect() as connection:
        rows = lanes.journeys(connection, THEN)
        demand = history.demand(connection, THEN)
        journeys = promised(rows, THEN, {})
    assert demand is not None
    transit = lanes.transit(rows, THEN)
    assert any(one.arrived is None for one in journeys)
    risks, quality = late.risks(journeys, THEN)
    return (
        plain(demand),
        plain(transit) if transit else [],
        [dataclasses.astuple(one) for one in journeys],
        [(risk.journey.id, risk.probability, risk.reasons) for risk in risks],
        quality,
    )


def test_without_the_future_the_same_is_learned(engine: Engine, cut: Engine) -> None:
    assert learned(engine) == learned(cut)


def test_with_another_future_the_same_is_learned(engine: Engine, later: Engine) -> None:
    assert learned(engine) == learned(later)
