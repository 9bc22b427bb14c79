"""History out of the read model or a file, models, back-tests, and the prediction of disruptions.

>>> from forecasting.run import run
>>> summary = run(readmodel.open_engine(url))
"""
