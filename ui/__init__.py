"""The dashboard: a client of the API like any other."""
