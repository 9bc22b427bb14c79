"""How good a forecast was. Arrays are one-dimensional, of equal length, in time order.

Definitions: Hyndman & Koehler 2006 (MASE), M5 (RMSSE), M4 (sMAPE, MSIS).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_TINY = 1e-9


def seasonal_scale(history: Array, season: int) -> float:
    """Mean absolute change from a season before: what the seasonal naive forecast misses by, within the history."""
    lag = season if len(history) > season else 1
    if len(history) <= lag:
        return 1.0
    scale = float(np.mean(np.abs(history[lag:] - history[:-lag])))
    return scale if scale > _TINY else max(float(np.mean(np.abs(history))), 1.0)


def step_scale(history: Array) -> float:
    """Root mean square of the change from the period before."""
    if len(history) < 2:
        return 1.0
    scale = float(np.sqrt(np.mean(np.diff(history) ** 2)))
    return scale if scale > _TINY else 1.0


def mase(actual: Array, forecast: Array, scale: float) -> float:
    """Mean absolute error over ``seasonal_scale``."""
    return float(np.mean(np.abs(actual - forecast))) / scale


def rmsse(actual: Array, forecast: Array, scale: float) -> float:
    """Root mean square error over ``step_scale``: for intermittent series, where absolute errors reward zero."""
    return float(np.sqrt(np.mean((actual - forecast) ** 2))) / scale


def wape(actual: Array, forecast: Array) -> float:
    """Absolute errors over what was, pooled; 0 when nothing was and nothing was forecast."""
    total = float(np.sum(np.abs(actual)))
    missed = float(np.sum(np.abs(actual - forecast)))
    return missed / total if total > _TINY else (0.0 if missed < _TINY else 1.0)


def bias(actual: Array, forecast: Array) -> float:
    """How much too high, as a share of what was."""
    total = float(np.sum(np.abs(actual)))
    return float(np.sum(forecast - actual)) / total if total > _TINY else 0.0


def coverage(actual: Array, low: Array, high: Array) -> float:
    """Share of values within their interval."""
    return float(np.mean((actual >= low) & (actual <= high)))


def msis(actual: Array, low: Array, high: Array, scale: float, level: float) -> float:
    """Mean scaled interval score: width, plus a penalty for what fell outside."""
    alpha = 1 - level
    below = np.maximum(low - actual, 0) * 2 / alpha
    above = np.maximum(actual - high, 0) * 2 / alpha
    return float(np.mean(high - low + below + above)) / scale


def calibration(probability: Array, outcome: Array, bins: int = 10) -> dict[str, Any]:
    """Of probabilities: AUC, Brier score and skill over the base rate, expected calibration error."""
    base = float(np.mean(outcome))
    brier = float(np.mean((probability - outcome) ** 2))
    reference = base * (1 - base)
    edges = np.clip((probability * bins).astype(int), 0, bins - 1)
    gaps = [
        np.sum(edges == b) / len(outcome) * abs(np.mean(probability[edges == b]) - np.mean(outcome[edges == b]))
        for b in range(bins)
        if np.any(edges == b)
    ]
    return {
        "n": len(outcome),
        "late": base,
        "auc": auc(probability, outcome),
        "brier": brier,
        "brierSkill": 1 - brier / reference if reference > _TINY else 0.0,
        "ece": float(np.sum(gaps)),
    }


def auc(score: Array, outcome: Array) -> float | None:
    """Chance that a late one scores higher than one in time; None if there is only one kind."""
    late = int(np.sum(outcome))
    if late in (0, len(outcome)):
        return None
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    mean_rank = np.bincount(inverse, weights=ranks) / counts
    rank_sum = float(np.sum(mean_rank[inverse][outcome > 0]))
    return (rank_sum - late * (late + 1) / 2) / (late * (len(outcome) - late))
