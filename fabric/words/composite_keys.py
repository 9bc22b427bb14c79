"""Fabric's two kinds of state keys.

A simple key must not begin with NUL; a composite key is NUL, object type, NUL, and each attribute followed by NUL.
"""

from __future__ import annotations

from collections.abc import Sequence

NUL = "\x00"
LAST_CODE_POINT = "\U0010ffff"
EMPTY_START = "\x01"  # the first simple key: a range from "" must not run into composite keys


def create_composite_key(object_type: str, attributes: Sequence[str]) -> str:
    """Join type and attributes; raises ValueError where one holds NUL or the last code point.

    >>> create_composite_key("colour", ["blue", "7"])
    '\\x00colour\\x00blue\\x007\\x00'
    """
    for part in (object_type, *attributes):
        if NUL in part or LAST_CODE_POINT in part:
            raise ValueError(f"{part!r} holds a character that composite keys reserve")
    return NUL + "".join(part + NUL for part in (object_type, *attributes))


def split_composite_key(key: str) -> tuple[str, list[str]]:
    """The type and attributes of a composite key; raises ValueError for another key.

    >>> split_composite_key("\\x00colour\\x00blue\\x007\\x00")
    ('colour', ['blue', '7'])
    """
    if not key.startswith(NUL) or not key.endswith(NUL) or len(key) < 2:
        raise ValueError(f"{key!r} is not a composite key")
    object_type, *attributes = key[1:-1].split(NUL)
    return object_type, attributes


def check_simple_keys(*keys: str) -> None:
    """Raises ValueError for a key that begins with NUL."""
    for key in keys:
        if key.startswith(NUL):
            raise ValueError(f"{key!r} begins with NUL, which is kept for composite keys")


def partial_range(object_type: str, attributes: Sequence[str]) -> tuple[str, str]:
    """First and last key of all composite keys that begin so."""
    start = create_composite_key(object_type, attributes)
    return start, start + LAST_CODE_POINT
