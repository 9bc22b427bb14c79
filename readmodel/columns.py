"""Column types that mean the same on SQLite and PostgreSQL.

The projector writes the stored form (integers, text) straight through the driver; everybody else reads Python
values. Both databases therefore hold the same numbers and texts, and one digest can be compared with another.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from sqlalchemy import BigInteger, Dialect, Integer, Numeric, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

QUANTITY_LIMIT = 9 * 10**12
"""Largest quantity a flow counts, in units (its millionths fit 64 bits). A claim beyond it counts as this."""

# SQLite gives rowids (fast, dense, ordered) only to columns declared INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC. A time without a zone is refused: it names no moment."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=value)


def to_millionths(quantity: str | int | float | Decimal) -> int:
    """A quantity as whole millionths, rounded half to even, within ``QUANTITY_LIMIT``; not-a-number is 0."""
    try:
        number = Decimal(quantity) if not isinstance(quantity, float) else Decimal(repr(quantity))
    except InvalidOperation:
        return 0
    if number.is_nan():
        return 0
    return round(min(max(number, Decimal(-QUANTITY_LIMIT)), Decimal(QUANTITY_LIMIT)) * 1_000_000)


class Timestamp(TypeDecorator[datetime]):
    """A moment, stored as microseconds since 1970 UTC: sorts, compares and digests alike everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


class Quantity(TypeDecorator[float]):
    """A quantity, stored as whole millionths so that adding and taking away leaves no crumbs.

    PostgreSQL keeps it as NUMERIC: a sum of many absurd claims must not stop the projector with an overflow.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = Numeric(38, 0) if dialect.name == "postgresql" else BigInteger()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: float | None, dialect: Dialect) -> int | None:
        return None if value is None else to_millionths(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:
        return None if value is None else int(value) / 1_000_000


class Json(TypeDecorator[Any]):
    """A JSON value as text with sorted keys: the same value is always the same text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else dump(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


def dump(value: Any) -> str:
    """JSON text with sorted keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
