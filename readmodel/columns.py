"""Column types that mean the same on SQLite and PostgreSQL.

The projector writes the stored form (integers, text) straight through the driver; everybody else reads Python
values. Both databases therefore hold the same numbers and texts, and one digest can be compared with another.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import orjson
from sqlalchemy import BLOB, BigInteger, Dialect, Integer, Numeric, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from epcis.units import code_of, unit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

MILLION = 1_000_000
SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""What a database takes as one integer."""
_EXACT_FLOATS = 2.0**53
_MOST_DIGITS = 400
_EXACT = Context(prec=2 * _MOST_DIGITS, Emax=10**6, Emin=-(10**6))

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
    """A quantity as whole millionths, of any size, rounded half to even.

    Raises:
        ValueError: it is no number, has no end, or more digits than anybody counts.
    """
    if isinstance(quantity, int):
        return quantity * MILLION
    if isinstance(quantity, float):
        if quantity.is_integer() and abs(quantity) < _EXACT_FLOATS:
            return int(quantity) * MILLION
        quantity = repr(quantity)
    elif len(str(quantity)) > _MOST_DIGITS:
        raise ValueError("more digits than a quantity has")
    try:
        number = Decimal(quantity)
        if not number.is_finite() or number.adjusted() > _MOST_DIGITS:
            raise ValueError("not a finite quantity")
        return int(number.scaleb(6, _EXACT).to_integral_value(ROUND_HALF_EVEN, _EXACT))
    except ArithmeticError:
        raise ValueError("not a number") from None


def in_base_unit(millionths: int | None, code: str | None) -> tuple[int | None, str | None]:
    """A quantity in the base unit of what it measures, with that unit's code: what is added up must be alike.

    in_base_unit(1_500_000, "GRM")
    (1500, 'KGM')
    """
    if code is None:
        return millionths, None
    measured = unit(code)
    if millionths is not None and measured.factor != 1:
        millionths = int(_EXACT.multiply(millionths, measured.factor).to_integral_value(ROUND_HALF_EVEN, _EXACT))
    return millionths, code_of(measured.base)


def as_stored(millionths: int) -> int | str:
    """Whole millionths as SQLite keeps them: a number where 64 bits hold it, else its digits."""
    return millionths if SMALLEST <= millionths <= LARGEST else str(millionths)


class Timestamp(TypeDecorator[datetime]):
    """A moment, stored as microseconds since 1970 UTC: sorts, compares and digests alike everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


class _Untyped(BLOB):
    """SQLite's column that keeps each value as it comes: whole numbers and, where they are too large, their digits."""

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


class Quantity(TypeDecorator[float]):
    """A quantity, stored as whole millionths of any size: adding and taking away leaves no crumbs and overflows nowhere.

    PostgreSQL keeps NUMERIC; SQLite, whose integers have 64 bits, keeps what is larger as digits (:func:`as_stored`).
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = Numeric() if dialect.name == "postgresql" else _Untyped()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: float | None, dialect: Dialect) -> int | str | None:
        if value is None:
            return None
        millionths = to_millionths(value)
        return millionths if dialect.name == "postgresql" else as_stored(millionths)

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:
        return None if value is None else units(int(value))


def units(millionths: int) -> float:
    """Millionths in units; what no float can say is the largest that one can."""
    try:
        return millionths / MILLION
    except OverflowError:
        return sys.float_info.max if millionths > 0 else -sys.float_info.max


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
