"""Do a plan's work on some processes, keep each piece as it is done, and go on from there after an interruption."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from forecasting.panel import Panel
from forecasting.recipe import Pieces, Plan, Unit, single, work
from forecasting.workers import Result, run_all

Tell = Callable[[str, int, int], None]
"""Called with a stage's name, what is done of it, and all of it."""


class Kept(Protocol):
    """Where finished pieces lie until the run is whole."""

    def load(self) -> dict[str, bytes]:
        """All that is there."""
        ...

    def keep(self, key: str, piece: bytes) -> None:
        """Keep one; it is on the disk when this returns."""
        ...


class Nowhere:
    """Keeps nothing."""

    def load(self) -> dict[str, bytes]:
        """Nothing."""
        return {}

    def keep(self, key: str, piece: bytes) -> None:
        """Forget it."""


Shared = dict[str, Panel]


def task(shared: Shared, unit: Unit) -> bytes:
    """What a worker does with a unit: the answer as bytes, which are the same whoever made them."""
    pieces, failures = work(shared[unit.part], unit)
    return packed(pieces, failures)


def execute(plan: Plan, kept: Kept, processes: int, tell: Tell) -> tuple[dict[str, Pieces], dict[str, str]]:
    """All results by unit, and failures by ``member|series``. Raises workers.StuckError."""
    units = plan.units()
    by_key = {unit.key: unit for unit in units}
    done = {key: piece for key, piece in kept.load().items() if key in by_key}
    shared = {name: plan.part(name) for name in plan.parts}
    missing = [unit for unit in units if unit.key not in done]
    tell("models", len(done), len(units))
    if missing:
        for result in run_all(missing, task, shared, processes):
            unit: Unit = result.key
            done[unit.key] = result.value if result.failure is None else _apart(plan, unit, shared, processes, result)
            kept.keep(unit.key, done[unit.key])
            tell("models", len(done), len(units))
    results: dict[str, Pieces] = {}
    failures: dict[str, str] = {}
    for unit in units:
        results[unit.key], failed = unpacked(done[unit.key])
        failures.update(failed)
    return results, failures


def _apart(plan: Plan, unit: Unit, shared: Shared, processes: int, failed: Result) -> bytes:
    """A block whose process died or that failed as a whole, series by series and member by member: one harms no other."""
    size, horizon = unit.rows[1] - unit.rows[0], plan.panel.horizon
    pieces: Pieces = {name: np.full((size, horizon), np.nan) for name in unit.members}
    failures: dict[str, str] = {}
    smaller = single(unit)
    if not smaller:
        name = unit.members[0]
        return packed(pieces, {f"{name}|{unit.key}": failed.failure or ""})
    for result in run_all(smaller, task, shared, processes):
        one: Unit = result.key
        if result.failure is None:
            found, why = unpacked(result.value)
            for name, piece in found.items():
                pieces[name][one.rows[0] - unit.rows[0]] = piece[0]
            failures.update(why)
        else:
            series = shared[unit.part].ids[one.rows[0]]
            failures[f"{one.members[0]}|{series}"] = result.failure
    return packed(pieces, failures)


def packed(pieces: Pieces, failures: dict[str, str]) -> bytes:
    """Arrays and reasons as bytes (NumPy's own format, no pickles)."""
    target = io.BytesIO()
    reasons = np.frombuffer(orjson.dumps(failures, option=orjson.OPT_SORT_KEYS), dtype=np.uint8)
    np.savez(target, allow_pickle=False, **{"": reasons}, **dict(sorted(pieces.items())))
    return target.getvalue()


def unpacked(data: bytes) -> tuple[Pieces, dict[str, str]]:
    """The opposite of ``packed``."""
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        reasons: Any = orjson.loads(found[""].tobytes())
        return {name: found[name] for name in found.files if name}, reasons


class File:
    """Pieces in a SQLite file, which is deleted when the work is whole."""

    def __init__(self, path: Path) -> None:
        import sqlite3

        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("CREATE TABLE IF NOT EXISTS piece (key TEXT PRIMARY KEY, data BLOB NOT NULL)")

    def load(self) -> dict[str, bytes]:
        """All that is there."""
        return dict(self._connection.execute("SELECT key, data FROM piece"))

    def keep(self, key: str, piece: bytes) -> None:
        """Keep one."""
        self._connection.execute("INSERT OR REPLACE INTO piece VALUES (?, ?)", (key, piece))

    def forget(self) -> None:
        """The work is whole."""
        self._connection.close()
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{self._path}{end}").unlink(missing_ok=True)


@contextlib.contextmanager
def file(path: Path) -> Iterator[File]:
    """A file of pieces that stays when the work is interrupted, and goes when it is whole."""
    kept = File(path)
    yield kept
    kept.forget()
