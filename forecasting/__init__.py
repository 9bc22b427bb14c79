"""History out of the read model, models, back-tests, and the prediction of disruptions.

>>> from forecasting import run
>>> summary = run(readmodel.open_engine(url))
"""

from forecasting.run import NothingToForecastError, RunSummary, run

__all__ = ["NothingToForecastError", "RunSummary", "run"]
