"""EPCIS capture and query, traces, handoffs and forecasts over HTTP."""
