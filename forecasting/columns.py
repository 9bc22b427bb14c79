"""Of a long table: which columns are regressors, which group series, and who is whose successor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecasting.findings import Finding
from forecasting.metrics import Array
from forecasting.panel import Ints

PREDECESSOR = "predecessor"
_MANY_VALUES = 12
_SEPARATORS = ("|", "/", "::", "__", "~", "_", "-", " ")


class UnreadableError(ValueError):
    """The file cannot be used; the message says what, where and what to do."""


def static(frame: pd.DataFrame, name: str) -> bool:
    """Whether a column never changes within a series."""
    return bool((frame.groupby("unique_id")[name].nunique(dropna=False) <= 1).all())


def columns(
    frame: pd.DataFrame, wanted: Sequence[str], rows: Ints, places: Ints, shape: tuple[int, int]
) -> tuple[tuple[str, ...], Array]:
    """Regressors as (n, T, k); words become a column for each of their values."""
    names: list[str] = []
    parts: list[Array] = []
    for name in wanted:
        column = frame[name]
        numeric = pd.to_numeric(column, errors="coerce")
        if column.dtype == bool or numeric.notna().sum() == column.notna().sum():
            values = {name: numeric.astype(float).to_numpy()}
        else:
            words = column.astype(str).fillna("")
            kinds = sorted(words.unique())
            if len(kinds) > _MANY_VALUES:
                raise UnreadableError(
                    f"regressor {name} has {len(kinds)} different words: at most {_MANY_VALUES} can be told apart"
                )
            values = {f"{name}={kind}": (words == kind).to_numpy(dtype=float) for kind in kinds[1:]}
        for label, value in values.items():
            filled = np.full(shape, np.nan)
            filled[rows, places] = np.where(np.isfinite(value), value, np.nan)
            names.append(label)
            parts.append(filled)
    return tuple(names), np.stack(parts, axis=2) if parts else np.empty((*shape, 0))


def groups(frame: pd.DataFrame, ids: list[str], regressors: Sequence[str], past: Sequence[str]) -> dict[str, Ints]:
    """Codes by which series may be pooled: columns that never change within a series, and the parts of names like ``shop|item``."""
    found: dict[str, Ints] = {}
    for name in frame.columns:
        if name in ("unique_id", "ds", "y", PREDECESSOR, *past) or not static(frame, str(name)):
            continue
        values = frame.groupby("unique_id")[name].first().reindex(ids).astype(str)
        if 1 < values.nunique() < len(ids):
            found[str(name)] = pd.factorize(values, sort=True)[0].astype(np.int64)
    for separator in _SEPARATORS:
        parts = [one.split(separator) for one in ids]
        if len(parts[0]) < 2 or len({len(one) for one in parts}) != 1:
            continue
        for place in range(len(parts[0])):
            words = [one[place] for one in parts]
            if 1 < len(set(words)) < len(ids):
                found[f"name{place + 1}"] = pd.factorize(np.array(words, dtype=object), sort=True)[0].astype(np.int64)
        break
    return found


def inherited(frame: pd.DataFrame, ids: list[str], y: Array, findings: list[Finding]) -> Array:
    """With a column ``predecessor``: what a series took the place of is its history before its own first value."""
    if PREDECESSOR not in frame.columns:
        return y
    named = frame.groupby("unique_id")[PREDECESSOR].first().reindex(ids)
    whole = y.copy()
    for row, old in enumerate(named):
        if pd.isna(old) or str(old) in ("", ids[row]):
            continue
        if str(old) not in ids:
            findings.append(Finding("no_predecessor", ids[row], f"there is no series {old}"))
            continue
        first = int(np.argmax(~np.isnan(y[row]))) if not np.isnan(y[row]).all() else y.shape[1]
        whole[row, :first] = y[ids.index(str(old)), :first]
        findings.append(
            Finding(
                "inherited", ids[row], f"history of {old} before its own", int((~np.isnan(whole[row, :first])).sum())
            )
        )
    return whole
