"""Combine instead of choose: how much each member says in a series' forecast.

Members forecast the same past (rolling origins). How they are combined is decided on the errors of a whole group of series, which
luck does not move as it does a single series' eighteen points. How much each weighs in one series by that series' errors drawn
towards the group's. An origin is always judged by weights that have not seen it, so the errors that are left are true ones:
intervals are made from them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.metrics import Array

POWERS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Weights go with error ** -power: equal weights … nearly only the best."""
_OWN = (0.0, 0.25, 1.0)
"""How much a series' own errors count beside the group's, a point each."""
_PRIOR_POINTS = 24.0
_TRIM, _TRIM_OF_ONE = 1.3, 3.0
"""A member whose error in the group is so many times the least takes no part; in a small group luck is given more room."""
_MANY = 40
"""Series from which on a group's errors are no luck."""
_TOLERANCE = 0.01
"""Errors that differ by less, in units of the series' own change, are the same."""
_ALWAYS_TRIM, _ALWAYS_SHARE = 2.0, 0.02
"""Members that always take part have at least this share, unless their error is twice the least."""


Rule = tuple[float | str, float]
"""Power of the errors, or median; and how much a series' own errors count."""


@dataclass(frozen=True)
class Combination:
    """``weights`` (members, n) add up to 1 in each series that has a forecast; ``past`` (n, K, H) are the combined forecasts at
    the origins, each with weights that had not seen it; ``rule`` says how they were found."""

    weights: Array
    past: Array
    rule: str


def combine(
    past: Array, actual: Array, scale: Array, future: Array, *, squared: bool, always: Sequence[int] = ()
) -> Combination:
    """Weights of a group of series.

    ``past`` (members, n, K, H), ``actual`` (n, K, H) with NaN where nothing is known, ``scale`` (n), ``future`` (members, n, H).
    ``squared``: errors count by their squares (intermittent demand), else absolutely. ``always``: members by place that are
    heard in every forecast unless they are hopeless.
    """
    loss = _loss(past, actual, scale, squared)
    allowed = _untrimmed(loss, squared, always)
    most = 16.0 if len(scale) >= _MANY else 4.0 if len(scale) >= _MANY / 4 else 2.0
    rules: list[Rule] = [(power, own) for power in POWERS if power <= most for own in (_OWN if power else (0.0,))]
    best, least, kept = rules[0], np.inf, np.full(actual.shape, np.nan)
    median: Rule = ("median", 0.0)
    for rule in (median, *rules):
        tried = _leave_one_out(past, loss, allowed, rule, squared)
        miss = _score(tried, actual, scale, squared)
        if miss < least * 0.999:
            best, least, kept = rule, miss, tried
    weights = _weights(loss, allowed, best, squared)
    weights = _present(weights, future)
    name = "median" if best[0] == "median" else f"errors to the power of -{best[0]:g}, own share {best[1]:g}"
    return Combination(weights, kept, name)


def apply(weights: Array, forecasts: Array) -> Array:
    """(n, H) from weights (members, n) and forecasts (members, n, H); members that say nothing are left out."""
    present = ~np.isnan(forecasts)
    share = weights[:, :, None] * present
    total = share.sum(axis=0)
    mixed = (share * np.nan_to_num(forecasts)).sum(axis=0)
    return np.where(total > 0, mixed / np.where(total > 0, total, 1.0), np.nan)


def apart(origins: int, k: int) -> list[int]:
    """The origins whose periods do not overlap with those of the ``k``-th: they lie half a horizon from one another."""
    return [other for other in range(origins) if abs(other - k) > 1]


def _loss(past: Array, actual: Array, scale: Array, squared: bool) -> Array:
    """(members, n, K, H) scaled errors."""
    error = np.abs(past - actual[None]) / scale[None, :, None, None]
    return np.asarray(error**2 if squared else error)


def _untrimmed(loss: Array, squared: bool, always: Sequence[int]) -> Array:
    """(members,): the least share of each member that takes part; NaN for the others."""
    pooled = _pooled(loss, squared)
    if not np.isfinite(pooled).any():
        return np.zeros(len(loss))
    sure = min(loss.shape[1] / _MANY, 1.0)
    limit = np.full(len(loss), sure * _TRIM + (1 - sure) * _TRIM_OF_ONE)
    limit[list(always)] = np.maximum(limit[list(always)], _ALWAYS_TRIM)
    least = np.zeros(len(loss))
    least[list(always)] = _ALWAYS_SHARE
    return np.where(pooled <= limit * np.nanmin(pooled) + _TOLERANCE, least, np.nan)


def _pooled(loss: Array, squared: bool) -> Array:
    """(members,): the error of the group, series by series so that no single one decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        by_series = np.nanmean(loss, axis=(2, 3))
        by_series = np.sqrt(by_series) if squared else by_series
        common = ~np.isnan(by_series).all(axis=0)
        filled = np.where(np.isnan(by_series), np.nanmedian(by_series, axis=0), by_series)
        return np.asarray(np.nanmean(filled[:, common], axis=1)) if common.any() else np.full(len(loss), np.nan)


def _weights(loss: Array, allowed: Array, rule: Rule, squared: bool) -> Array:
    """(members, n)."""
    part = ~np.isnan(allowed)
    if rule[0] in ("median", 0.0):
        return np.repeat((part / part.sum())[:, None], loss.shape[1], axis=1)
    power, share = float(rule[0]), rule[1]
    pooled = _pooled(loss, squared)
    pooled = np.where(np.isfinite(pooled), pooled, np.nanmax(pooled, initial=1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        own = np.nanmean(loss, axis=(2, 3))
        own = np.sqrt(own) if squared else own
        middle = np.nanmean(own / np.maximum(pooled[:, None], 1e-12), axis=0)
    points = (~np.isnan(loss)).any(axis=0).sum(axis=(1, 2)) * share
    relative = np.where(np.isnan(own) | np.isnan(middle), pooled[:, None], own / np.maximum(middle, 1e-12))
    drawn = (points * relative + _PRIOR_POINTS * pooled[:, None]) / (points + _PRIOR_POINTS)
    drawn = drawn + _TOLERANCE
    weight = (drawn / drawn[part].min(axis=0)) ** -power * part[:, None]
    weight = np.maximum(weight / weight.sum(axis=0), np.nan_to_num(allowed)[:, None])
    return np.asarray(weight / weight.sum(axis=0))


def _leave_one_out(past: Array, loss: Array, allowed: Array, rule: Rule, squared: bool) -> Array:
    """(n, K, H): each origin combined by weights from the others."""
    kept = np.full(loss.shape[1:], np.nan)
    for k in range(loss.shape[2]):
        if rule[0] == "median":
            kept[:, k] = _median(past[:, :, k], allowed)
            continue
        others = loss[:, :, apart(loss.shape[2], k)]
        seen = others if others.shape[2] and np.isfinite(others).any() else np.ones_like(loss[:, :, :1])
        kept[:, k] = apply(_weights(seen, allowed, rule, squared), past[:, :, k])
    return kept


def _median(forecasts: Array, allowed: Array) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(forecasts[~np.isnan(allowed)], axis=0))


def _score(forecast: Array, actual: Array, scale: Array, squared: bool) -> float:
    error = np.abs(forecast - actual) / scale[:, None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        by_series = np.sqrt(np.nanmean(error**2, axis=(1, 2))) if squared else np.nanmean(error, axis=(1, 2))
        return float(np.nanmean(by_series)) if np.isfinite(by_series).any() else np.inf


def _present(weights: Array, future: Array) -> Array:
    """Weights among the members that say something of the future."""
    share = weights * ~np.isnan(future).all(axis=2)
    total = share.sum(axis=0)
    return np.where(total > 0, share / np.where(total > 0, total, 1.0), 0.0)


def future_of(combination: Combination, future: Array) -> Array:
    """(n, H): the combined forecast."""
    if combination.rule == "median":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            part = combination.weights[:, :, None] > 0
            return np.asarray(np.nanmedian(np.where(part, future, np.nan), axis=0))
    return apply(combination.weights, future)
