"""The GS1 check digit (GS1 General Specifications, section 7.9.1)."""

from __future__ import annotations


def check_digit(digits: str) -> str:
    """The digit that completes ``digits`` (given without it): ``check_digit("400638133393") == "1"``."""
    weighted = 3 * sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2]))
    return str(-weighted % 10)


def has_valid_check_digit(digits: str) -> bool:
    """Whether the last of ``digits`` is the check digit of the others."""
    return digits[-1:] == check_digit(digits[:-1])
