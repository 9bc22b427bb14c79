"""What a model says is believed only if it is possible."""

from __future__ import annotations

import numpy as np

from forecasting.metrics import Array

_ABSURD = 20.0


class ImplausibleError(ValueError):
    """A forecast that cannot be used; the message says why."""


def checked(forecast: Array, history: Array) -> Array:
    """The forecast, with negative values raised to 0 where the history has none. Raises ImplausibleError.

    Divergence really happens (statsmodels' SARIMAX and ETS have given 1e48): more than twenty times the largest value ever
    seen is no forecast.
    """
    if not np.all(np.isfinite(forecast)):
        raise ImplausibleError("it is not a finite number")
    largest = float(np.max(np.abs(history), initial=0.0))
    limit = _ABSURD * largest if largest > 0 else 1.0
    if float(np.max(np.abs(forecast))) > limit:
        raise ImplausibleError(f"it diverges: {float(np.max(np.abs(forecast))):.3g}")
    return np.maximum(forecast, 0.0) if float(np.min(history, initial=0.0)) >= 0 else forecast
