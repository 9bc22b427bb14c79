"""Cleaning of the record's text: encoding damage and white space."""

from __future__ import annotations

# A UTF-8 lead byte read as one character, then continuation bytes read as others.
_ROUNDS = 3


def repair_mojibake(text: str) -> str:
    """Undo UTF-8 that was read as Latin-1, as often as that happened.

    The record holds ``CÃ´te d'Ivoire`` (once) and ``GrÃ\\x83Â¸nland`` (twice). Text that was never damaged is
    returned as it is: its characters don't form UTF-8 when written as Latin-1, or form the same text.

    >>> repair_mojibake("CÃ´te d'Ivoire")
    "Côte d'Ivoire"
    """
    if text.isascii():
        return text
    for _ in range(_ROUNDS):
        repaired = _undo(text, "latin-1") or _undo(text, "cp1252")
        if repaired is None or repaired == text:
            break
        text = repaired
    return text


def clean(text: str) -> str:
    """Repaired text with runs of white space as one space and none at the ends."""
    return " ".join(repair_mojibake(text).split())


def _undo(text: str, codec: str) -> str | None:
    try:
        return text.encode(codec).decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
