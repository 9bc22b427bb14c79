"""Alembic migrations of the read model, run by :func:`readmodel.migrate`."""
