"""Pages that stay right while the ledger grows: each begins after the last row of the one before, by key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from contextvars import ContextVar
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
_SEAL_BYTES = 12
_FOREIGN = "the page token is not one of this query"
_key: ContextVar[bytes] = ContextVar("page_key", default=b"nobody's")


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


def bind(key: bytes) -> None:
    """Page tokens made and read from here on, in this task, belong to ``key``: whose they are, and of which query."""
    _key.set(key)


def encode(*key: int) -> str:
    """A token that holds a key of numbers."""
    return seal(orjson.dumps(key))


def decode(token: str, length: int) -> tuple[int, ...]:
    """The key in a token; :class:`InvalidTokenError` when it holds none of this length."""
    key: list[int] = orjson.loads(unseal(token))
    if len(key) != length:
        raise InvalidTokenError(_FOREIGN)
    return tuple(key)


def seal(plain: bytes) -> str:
    """An opaque token that holds these bytes: nobody else can make one, change it or use it elsewhere (:func:`bind`)."""
    sealed = _seal(plain)
    return base64.urlsafe_b64encode(sealed + _veiled(plain, sealed)).rstrip(b"=").decode()


def unseal(token: str) -> bytes:
    """What is in a token; :class:`InvalidTokenError` when it is none of ours, or not of this query."""
    try:
        raw = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidTokenError(_FOREIGN) from error
    sealed = raw[:_SEAL_BYTES]
    plain = _veiled(raw[_SEAL_BYTES:], sealed)
    if not hmac.compare_digest(sealed, _seal(plain)):
        raise InvalidTokenError(_FOREIGN)
    return plain


def _seal(plain: bytes) -> bytes:
    return hmac.digest(_key.get(), plain, "sha256")[:_SEAL_BYTES]


def _veiled(text: bytes, seal: bytes) -> bytes:
    """Row numbers tell how much others have: they are not to be read. What was veiled with a seal is unveiled with it."""
    mask = hashlib.shake_256(_key.get() + seal).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, mask, strict=True))


def limited(per_page: int) -> int:
    """The page size, held between 1 and ``MOST``."""
    return max(1, min(per_page, MOST))


def paged(
    rows: Sequence[R], per_page: int, convert: Callable[[Sequence[R]], list[T]], key: Callable[[R], str]
) -> Page[T]:
    """A page of rows that were asked for with one more than ``per_page``, to see whether there are more."""
    shown = rows[:per_page]
    return Page(convert(shown), key(shown[-1]) if len(rows) > per_page else None)
