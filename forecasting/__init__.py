"""History out of the read model, models, back-tests, and the prediction of disruptions."""
