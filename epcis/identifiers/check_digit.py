"""The GS1 check digit (GS1 General Specifications, section 7.9.1)."""

from __future__ import annotations

from epcis.remembering import remember

_ZERO = ord("0")


def check_digit(digits: str) -> str:
    """The digit that completes ``digits`` (given without it): ``check_digit("400638133393") == "1"``.

    Raises:
        ValueError: ``digits`` holds something else than the digits 0 to 9.
    """
    if not (digits.isascii() and digits.isdecimal()):
        raise ValueError(f"not digits: {digits!r}")
    codes = digits.encode()
    thrice, once = codes[::-2], codes[-2::-2]
    weighted = 3 * (sum(thrice) - _ZERO * len(thrice)) + sum(once) - _ZERO * len(once)
    return str(-weighted % 10)


@remember(1 << 14, longest=20)  # one product's number comes with each of its items
def has_valid_check_digit(digits: str) -> bool:
    """Whether the last of ``digits`` is the check digit of the others."""
    return digits[-1:] == check_digit(digits[:-1])
