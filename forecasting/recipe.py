"""One recipe for a panel: who takes part, from which moments, how they are combined, and how sure that is.

What is fitted follows from the data alone (``Plan``): number, length and class of the series, season, horizon. No clock is asked. Every
piece of work is a function of the panel and its own name, so that pieces may be done in any order, by any number of processes, today or
tomorrow, and give the same answer.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecasting import combine, intervals
from forecasting.boosted import boosted
from forecasting.counts import counts
from forecasting.effects import effects, regression
from forecasting.local import BARS, local
from forecasting.metrics import Array
from forecasting.panel import Ints, Mask, Panel, window
from forecasting.series import REGULAR
from forecasting.shapes import shapes

RECIPE = "2"
"""Changed whenever the same data would give other numbers."""
_BLOCK = 40
_INNER = 4
_YOUNG = 4

ALWAYS = ("regression", "prophet")
"""statsmodels' and Prophet's part is heard in every forecast."""
GLOBAL = ("boosted", "prophet", "counts")
"""Members that are fitted to all series of a part at once."""

Pieces = dict[str, Array]


@dataclass(frozen=True)
class Unit:
    """A piece of work: members of one kind, at one moment, on a block of the series of one part of the panel."""

    part: str
    """regular or intermittent."""
    cut: int
    """Periods before the end of each series."""
    members: tuple[str, ...]
    rows: tuple[int, int]
    """Of the part: first, and after the last."""

    @property
    def key(self) -> str:
        """Its name: the same for the same plan."""
        return f"{self.part}/{self.cut}/{'+'.join(self.members)}/{self.rows[0]}-{self.rows[1]}"


def single(unit: Unit) -> list[Unit]:
    """The same work a series and a member at a time; nothing for members that see all series at once."""
    if unit.members[0] in GLOBAL:
        return []
    return [Unit(unit.part, unit.cut, (name,), (row, row + 1)) for row in range(*unit.rows) for name in unit.members]


@dataclass(frozen=True)
class Plan:
    """All work for forecasts from some moments (``outer``: periods before each series' end, 0: now)."""

    panel: Panel
    outer: tuple[int, ...]

    @classmethod
    def of(cls, panel: Panel, outer: tuple[int, ...]) -> Plan:
        """The plan for a panel; what closes is learned from before the earliest moment only."""
        return cls(panel.as_closed_by(np.maximum(panel.ends - max(outer), 0)), tuple(sorted(outer)))

    @cached_property
    def parts(self) -> dict[str, Ints]:
        """Series by class, as it was at the earliest moment from which is forecast."""
        seen = np.maximum(self.panel.ends - max(self.outer), 0)
        young = (~np.isnan(self.panel.history(seen))).sum(axis=1) < _YOUNG
        now = self.panel.ends - min(self.outer)
        # a series that had hardly begun by then is judged by what it is now: it is not scored on that past
        regular = np.isin(self.panel.classes(np.where(young, now, seen)), REGULAR)
        found = {"regular": np.flatnonzero(regular), "intermittent": np.flatnonzero(~regular)}
        return {name: rows for name, rows in found.items() if len(rows)}

    @property
    def inner_step(self) -> int:
        """Periods between the moments of the past from which the weights are learned."""
        return max(1, -(-self.panel.horizon // 2))

    def inner(self, outer: int) -> tuple[int, ...]:
        """The moments before one from which weights and errors are learned; the nearest know only short horizons."""
        return tuple(outer + self.inner_step * k for k in range(_INNER, 0, -1))

    @cached_property
    def cuts(self) -> tuple[int, ...]:
        """Every moment from which anything is forecast."""
        return tuple(sorted({*self.outer, *(one for outer in self.outer for one in self.inner(outer))}))

    def members(self, part: str) -> tuple[str, ...]:
        """Who takes part, by the class of demand and the season."""
        if part == "intermittent":
            return ("adida", "imapa", "tsb", "ses", "regression", "counts", "prophet", "boosted")
        seasonal = ("mstl",) if self.panel.frequency.season > 1 else ()
        return ("ets", "theta", "ces", "mfles", *seasonal, "regression", "prophet", "boosted")

    def units(self) -> list[Unit]:
        """The work, in order. Global members first: they take longest."""
        found = []
        for part, rows in self.parts.items():
            members = self.members(part)
            for cut in self.cuts:
                found += [Unit(part, cut, (name,), (0, len(rows))) for name in GLOBAL if name in members]
            alone = (*BARS, *(name for name in members if name not in GLOBAL))
            found += [
                Unit(part, cut, alone, (first, min(first + _BLOCK, len(rows))))
                for cut in self.cuts
                for first in range(0, len(rows), _BLOCK)
            ]
        return found

    def units_at(self, part: str, cut: int) -> list[Unit]:
        """The work of one part at one moment."""
        return self._by_place[(part, cut)]

    @cached_property
    def _by_place(self) -> dict[tuple[str, int], list[Unit]]:
        found: dict[tuple[str, int], list[Unit]] = {}
        for unit in self.units():
            found.setdefault((unit.part, unit.cut), []).append(unit)
        return found

    def part(self, name: str) -> Panel:
        """The panel of one class."""
        return self.panel.take(self.parts[name])


def work(panel: Panel, unit: Unit) -> tuple[Pieces, dict[str, str]]:
    """Do a unit on the panel of its part: forecasts (rows, H) by member, and failures by ``member|series``."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of fits that do not converge, means of nothing: what comes out is checked instead
        return _work(panel, unit)


def _work(panel: Panel, unit: Unit) -> tuple[Pieces, dict[str, str]]:
    cut = np.maximum(panel.ends - unit.cut, 0)
    intermittent = unit.part == "intermittent"
    if unit.members == ("boosted",):
        return {"boosted": boosted(panel, cut, intermittent=intermittent)}, {}
    if unit.members == ("counts",):
        return {"counts": counts(panel, cut)}, {}
    rows = np.arange(*unit.rows)
    known = effects(panel, cut, rows)
    block, at = panel.take(rows), cut[rows]
    if unit.members == ("prophet",):
        found, failed = shapes(panel, cut, known, intermittent=intermittent)
        return {"prophet": found}, {f"prophet|{name}": reason for name, reason in failed.items()}
    pieces: Pieces = {}
    failures: dict[str, str] = {}
    for name in unit.members:
        if name == "regression":
            pieces[name] = regression(block, at, known)
            continue
        pieces[name], failed = local(name, block, at, known)
        failures.update({f"{name}|{series}": reason for series, reason in failed.items()})
    return pieces, failures


@dataclass(frozen=True)
class Part:
    """Forecasts of the series of one class from one moment. Shapes: m members, n series, K past origins, H, L levels."""

    rows: Ints
    members: tuple[str, ...]
    weights: Array
    rule: str
    point: Array
    quantiles: Array
    forecasts: dict[str, Array]
    past: Array
    past_members: dict[str, Array]
    actual: Array
    scale: Array
    certain: Mask
    """(n, H) booleans: known to be closed."""


def assemble(plan: Plan, results: dict[str, Pieces], outer: int) -> list[Part]:
    """Combine what the units gave, for one moment."""
    return [_part(plan, name, rows, results, outer) for name, rows in plan.parts.items()]


def _gather(plan: Plan, part: str, results: dict[str, Pieces], cut: int) -> Pieces:
    """(n, H) by member at a moment."""
    found: dict[str, list[Array]] = {}
    for unit in plan.units_at(part, cut):
        for name, piece in results[unit.key].items():
            found.setdefault(name, []).append(piece)
    return {name: np.vstack(pieces) for name, pieces in found.items()}


def _part(plan: Plan, part: str, rows: Ints, results: dict[str, Pieces], outer: int) -> Part:
    panel, horizon = plan.part(part), plan.panel.horizon
    end = np.maximum(panel.ends - outer, 0)
    history = panel.history(end)
    ahead = _gather(plan, part, results, outer)
    inner = plan.inner(outer)
    earlier = [_gather(plan, part, results, cut) for cut in inner]
    actual = np.stack([window(history, np.maximum(panel.ends - cut, 0), horizon) for cut in inner], axis=1)
    shut = np.stack([window(panel.closed.astype(float), panel.ends - cut, horizon) == 1 for cut in inner], axis=1)
    actual = np.where(shut, np.nan, actual)  # what is certain teaches nothing about what is not
    members = plan.members(part)
    scale = scales(history, panel.frequency.lag, squared=part == "intermittent")
    past = np.stack([np.stack([one[name] for one in earlier], axis=1) for name in members])
    future = np.stack([ahead[name] for name in members])
    combined = combine.combine(
        past, actual, scale, future, squared=part == "intermittent", always=[members.index(name) for name in ALWAYS]
    )
    point = combine.future_of(combined, future)
    point = np.where(np.isnan(point), fallback(history, panel)[:, None], point)
    nonnegative = np.nan_to_num(np.nanmin(np.where(np.isnan(history), np.inf, history), axis=1)) >= 0
    spread = intervals.calibrate(combined.past, actual, scale, nonnegative)
    quantiles = spread.quantiles(point, np.where(nonnegative, 0.0, -np.inf))
    certain = window(panel.closed.astype(float), end, horizon) == 1
    point, quantiles = np.where(certain, 0.0, point), np.where(certain[:, :, None], 0.0, quantiles)
    bars = {name: np.stack([one[name] for one in earlier], axis=1) for name in BARS}
    return Part(
        rows, members, combined.weights, combined.rule, point, quantiles, ahead, combined.past,
        {**bars, **{name: past[place] for place, name in enumerate(members)}}, actual, scale, certain,
    )  # fmt: skip


def scales(history: Array, lag: int, *, squared: bool = False) -> Array:
    """(n,): by which errors of different series are compared: the mean (root mean square) change over ``lag`` periods.

    Never 0 and never infinite: where nothing changes, a tenth of the mean size, or 1.
    """
    lag = lag if history.shape[1] > lag else 1
    change = history[:, lag:] - history[:, :-lag]
    known = (~np.isnan(change)).sum(axis=1)
    total = np.nansum(change**2 if squared else np.abs(change), axis=1)
    found = np.where(known > 0, total / np.maximum(known, 1), 0.0)
    found = np.sqrt(found) if squared else found
    count = np.maximum((~np.isnan(history)).sum(axis=1), 1)
    size = 0.1 * np.nansum(np.abs(history), axis=1) / count
    size = np.where(size > 0, size, 1.0)
    return np.asarray(np.where(found > 1e-3 * size, found, size))


def fallback(history: Array, panel: Panel) -> Array:
    """(n,): for series of which no member could say anything: the mean of their last values, else what the like of them have."""
    recent = [row[~np.isnan(row)][-panel.frequency.season :] for row in history]
    own = np.array([float(np.mean(row)) if len(row) else np.nan for row in recent])
    known = own[~np.isnan(own)]
    return np.where(np.isnan(own), float(np.median(known)) if len(known) else 0.0, own)
