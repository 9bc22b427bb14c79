"""What is wrong or odd about data, by name, and what was done about it. Nothing of it stops the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecasting.metrics import Array
from forecasting.panel import Ints

KINDS = {
    "duplicate": "several rows of one series and period",
    "not_a_number": "values that are no finite numbers",
    "implausible": "values beyond anything the series ever showed",
    "missing_periods": "periods without a row",
    "stray_old": "a few values long before all others",
    "zero_run": "nothing for longer than chance explains",
    "too_young": "too few values for an own forecast",
    "empty": "no value at all",
    "inherited": "a series that goes on where its predecessor ended",
    "no_predecessor": "a predecessor that is not in the table",
    "ends_differ": "series that end earlier than others",
    "units_mixed": "quantities of one product in units that do not convert",
    "ignored_column": "columns that were not asked for",
}


@dataclass(frozen=True)
class Finding:
    """``kind`` is one of KINDS; ``subject`` a series (empty: the whole); ``count`` how many values or periods."""

    kind: str
    subject: str
    detail: str
    count: int = 1

    def row(self) -> dict[str, Any]:
        """For tables and JSON."""
        return asdict(self)


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """By kind and subject."""
    return sorted(found, key=lambda one: (one.kind, one.subject, one.detail))


_PERMILLE = 1e-6
_WITNESSES = 20
_LOOK_BACK = 200
_MOST = 1e100


def doubts(y: Array) -> Ints:
    """(n, T): the column at which it shows that a zero is no demand of zero; a large number where it never does.

    A series that has nearly always had a demand shows nothing for so long that chance does not explain it (less than one in
    a million, from its last 200 values): it is sold out, was not uploaded, or is not made any more. What was wanted is not known
    then. A run is judged by what had come by its end so far, never by what came later.
    """
    never = np.iinfo(np.int64).max // 2
    found = np.full(y.shape, never, dtype=np.int64)
    for row, values in enumerate(y):
        if np.nanmin(values, initial=0.0) < 0:
            continue
        _judge(values, found[row])
    return found


def _judge(values: Array, found: Ints) -> None:
    seen = np.flatnonzero(~np.isnan(values))
    zero = values[seen] == 0
    if not zero.any():
        return
    edges = np.flatnonzero(np.diff(np.concatenate([[0], zero.astype(np.int8), [0]])))
    trusted = np.ones(len(seen), dtype=bool)
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        before = np.flatnonzero(trusted[:first])[-_LOOK_BACK:]
        if len(before) < _WITNESSES:
            continue
        chance = (float(np.sum(zero[before])) + 1) / (len(before) + 2)
        needed = int(np.ceil(np.log(_PERMILLE) / np.log(chance))) if chance < 1 else len(seen)
        if after - first >= needed:
            shown = seen[first + needed - 1 : after]
            # the first of the run are doubted when it has become long enough, the later ones at once
            found[seen[first : first + needed]] = shown[0]
            found[shown] = shown
            trusted[first:after] = False


def stray(y: Array, unit_days: float) -> int:
    """The column at which a history begins: after a few values that lie a year and more before all others."""
    seen = np.flatnonzero(~np.isnan(y) & (y != 0))
    if len(seen) < 10:
        return 0
    gaps = np.diff(seen)
    limit = max(365 / unit_days, 20 * float(np.median(gaps)))
    wide = np.flatnonzero(gaps > limit)
    wide = wide[wide + 1 <= max(3, len(seen) // 20)]
    return int(seen[wide[-1] + 1]) if len(wide) else 0


def implausible(y: Array) -> Ints:
    """Columns whose value is a thousand times anything else and ten thousand times what is usual."""
    size = np.abs(np.nan_to_num(y))
    sizes = np.sort(size[size > 0])
    if len(sizes) < 5:
        return np.flatnonzero(size > _MOST)
    usual = float(np.median(sizes))
    jump = np.flatnonzero(sizes[1:] > 1000 * sizes[:-1])
    jump = jump[jump >= len(sizes) * 0.9]
    limit = sizes[jump[0] + 1] if len(jump) else np.inf
    return np.flatnonzero((size >= limit) & (size > 1e4 * usual) | (size > _MOST))
