"""Expanding compressed Digital Links (GS1 Digital Link Standard: Compression, release 1.1).

A compressed link holds its AIs and values as bits, written in the URI-safe base-64 alphabet: for each AI four bits a
digit (or one of the codes for AIs that often come together), and then its value: numbers as binary numbers, texts in
the narrowest of five alphabets.
"""

from __future__ import annotations

import math
import re
from functools import cache

from epcis.identifiers.ai_table import fits
from epcis.identifiers.errors import InvalidIdentifier

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HEX = "0123456789abcdef"
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{8,}={0,2}")
# What each alphabet can write; a compressor takes the first that will do.
_ALPHABETS = (
    re.compile("[0-9]+"),
    re.compile("[0-9a-f]+"),
    re.compile("[0-9A-F]+"),
    re.compile("[A-Za-z0-9_-]+"),
    re.compile("[!-z]+"),
)
_DIGITS, _ASCII = 0, 4

# AI -> its value's parts: N digits or X text, their number; negative: up to so many.
_FORMATS: dict[str, tuple[tuple[str, int], ...]] = {
    "00": (("N", 18),), "01": (("N", 14),), "02": (("N", 14),), "253": (("N", 13), ("X", -17)),
    "255": (("N", 13), ("N", -12)), "401": (("X", -30),), "402": (("N", 17),), "8003": (("N", 14), ("X", -16)),
    "8004": (("X", -30),), "8006": (("N", 18),), "8010": (("X", -30),), "8011": (("N", -12),), "8017": (("N", 18),),
    "8018": (("N", 18),), "8019": (("N", -10),), "235": (("X", -28),), "254": (("X", -20),), "20": (("N", 2),),
    "30": (("N", -8),), "37": (("N", -8),), "7003": (("N", 10),), "7001": (("N", 13),), "8005": (("N", 6),),
    "242": (("N", -6),), "243": (("X", -20),), "420": (("X", -20),), "422": (("N", 3),),
    **dict.fromkeys(("10", "21", "22"), (("X", -20),)),
    **dict.fromkeys(("11", "12", "13", "15", "16", "17"), (("N", 6),)),
    **dict.fromkeys(("240", "241", "250", "251", "400", "403", "90", "7002"), (("X", -30),)),
    **{str(ai): (("X", -90),) for ai in range(91, 100)},
    **{str(ai): (("N", 13),) for ai in range(410, 418)},
    **{f"{ai}{digit}": (("N", 6),) for ai in range(310, 370) for digit in range(6)},
    **{f"{ai}{digit}": (("N", -15),) for ai in (390, 392) for digit in range(10)},
    **{f"394{digit}": (("N", 4),) for digit in range(4)},
}  # fmt: skip
# Codes for AIs that often come together.
_SEQUENCES: dict[str, tuple[str, ...]] = {
    "0a": ("01", "22"), "0b": ("01", "10"), "0c": ("01", "21"), "0d": ("01", "17"), "0e": ("01", "7003"),
    "0f": ("01", "30"), "1a": ("01", "10", "21", "17"), "1b": ("01", "15"), "1c": ("01", "11"), "1d": ("01", "16"),
    "1e": ("01", "91"), "1f": ("01", "10", "15"), "9a": ("8010", "8011"), "9b": ("8017", "8019"),
    "9c": ("8018", "8019"), "9d": ("414", "254"),
    **{f"2{_HEX[10 + n]}": ("01", f"310{n}") for n in range(6)},
    **{f"3{_HEX[10 + n]}": ("01", f"320{n}") for n in range(6)},
    **{f"a{n}": ("01", f"392{n}") for n in range(10)},
    **{f"c{n}": ("255", f"390{n}") for n in range(10)},
    **{f"c{_HEX[10 + n]}": ("255", f"394{n}") for n in range(4)},
}  # fmt: skip


class _Bits:
    """Reads a string of bits from the left."""

    def __init__(self, text: str) -> None:
        self._bits = "".join(f"{_BASE64.index(character):06b}" for character in text)
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._bits) - self._at

    @property
    def rest(self) -> str:
        return self._bits[self._at :]

    def number(self, size: int) -> int:
        if size > self.left:
            raise InvalidIdentifier("a compressed link ends too early", "compressed_link")
        self._at += size
        return int(self._bits[self._at - size : self._at] or "0", 2)


def is_compressible(segment: str) -> bool:
    """Whether a path segment has the form of a compressed link."""
    return _SEGMENT.fullmatch(segment) is not None


def expand(segment: str) -> list[tuple[str, str]]:
    """(AI, value) of everything in the compressed part of a link. Raises InvalidIdentifier (``compressed_link``)."""
    if not is_compressible(segment):
        raise InvalidIdentifier(f"{segment!r} is not a compressed link", "compressed_link")
    bits = _Bits(segment.rstrip("="))
    found: list[tuple[str, str]] = []
    while bits.left > 8:
        found += [(ai, _value(bits, ai)) for ai in _next_ais(bits)]
    if bits.left > 5 or "1" in bits.rest:
        raise InvalidIdentifier(f"{segment!r} is not a compressed link: it ends in loose bits", "compressed_link")
    return found


def _next_ais(bits: _Bits) -> tuple[str, ...]:
    code = _HEX[bits.number(4)] + _HEX[bits.number(4)]
    if code in _SEQUENCES:
        return _SEQUENCES[code]
    while code not in _FORMATS:
        if len(code) == 4 or not code.isdecimal():
            raise InvalidIdentifier(f"a compressed link has the unknown code {code}", "compressed_link")
        code += _HEX[bits.number(4)]
    return (code,)


def _value(bits: _Bits, ai: str) -> str:
    value = "".join(_digits(bits, length) if kind == "N" else _text(bits, length) for kind, length in _FORMATS[ai])
    if not fits(ai, value):
        raise InvalidIdentifier(f"a compressed link holds {value!r} for ({ai})", "compressed_link")
    return value


def _digits(bits: _Bits, length: int) -> str:
    return _number(bits, length if length > 0 else bits.number(_size_of_length(-length)))


def _text(bits: _Bits, length: int) -> str:
    alphabet = bits.number(3)
    count = length if length > 0 else bits.number(_size_of_length(-length))
    if count > abs(length) or alphabet > _ASCII:
        raise InvalidIdentifier("a compressed link holds a value that is too long", "compressed_link")
    value = _written(bits, alphabet, count)
    if count and next(n for n, form in enumerate(_ALPHABETS) if form.fullmatch(value) or n == _ASCII) != alphabet:
        raise InvalidIdentifier(
            "a compressed link holds a text in an alphabet that no compressor chooses", "compressed_link"
        )
    return value


def _written(bits: _Bits, alphabet: int, count: int) -> str:
    if alphabet == _DIGITS:
        return _number(bits, count)
    if alphabet == _ASCII:
        return "".join(chr(bits.number(7)) for _ in range(count))
    characters, size = {1: (_HEX, 4), 2: (_HEX.upper(), 4), 3: (_BASE64, 6)}[alphabet]
    return "".join(characters[bits.number(size)] for _ in range(count))


def _number(bits: _Bits, count: int) -> str:
    digits = str(bits.number(_size_of_number(count))).zfill(count) if count else ""
    if len(digits) > count:
        raise InvalidIdentifier("a compressed link holds a number that is too large", "compressed_link")
    return digits


@cache
def _size_of_length(most: int) -> int:
    return math.ceil(math.log2(most) + 0.01)


@cache
def _size_of_number(digits: int) -> int:
    return math.ceil(digits * math.log2(10) + 0.01)
