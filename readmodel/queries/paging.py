"""Pages that stay right while the ledger grows: each begins after the last row of the one before, by key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import orjson
from sqlalchemy import Select, select

Query: TypeAlias = Select[*tuple[Any, ...]]
"""A query of any columns."""

T = TypeVar("T")
R = TypeVar("R")
MOST = 10_000
"""Largest page."""


class InvalidTokenError(ValueError):
    """The page token is not one that was given out."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the token of the page after them (None: there is none)."""

    items: list[T]
    next: str | None


def pick(*columns: Any) -> Query:
    """SELECT these columns, of whatever types."""
    return select(*columns)


def encode(*key: int) -> str:
    """An opaque token that holds a key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def decode(token: str, length: int) -> tuple[int, ...]:
    """The key in a token; :class:`InvalidTokenError` when it holds none of this length."""
    try:
        padded = token.encode() + b"=" * (-len(token) % 4)
        key = orjson.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError) as error:
        raise InvalidTokenError("the page token is not one of ours") from error
    if not isinstance(key, list) or len(key) != length or not all(type(part) is int for part in key):
        raise InvalidTokenError("the page token is not one of ours")
    if not all(-(2**63) <= part < 2**63 for part in key):
        raise InvalidTokenError("the page token is not one of ours")
    return tuple(key)


def limited(per_page: int) -> int:
    """The page size, held between 1 and ``MOST``."""
    return max(1, min(per_page, MOST))


def paged(
    rows: Sequence[R], per_page: int, convert: Callable[[Sequence[R]], list[T]], key: Callable[[R], str]
) -> Page[T]:
    """A page of rows that were asked for with one more than ``per_page``, to see whether there are more."""
    shown = rows[:per_page]
    return Page(convert(shown), key(shown[-1]) if len(rows) > per_page else None)
