"""Making identifiers from numbers, with the check digit verified."""

from __future__ import annotations

from epcis.identifiers.check_digit import check_digit, has_valid_check_digit
from epcis.identifiers.errors import InvalidIdentifier
from epcis.identifiers.escapes import decode, for_link
from epcis.identifiers.identifier import Identifier


def gtin(digits: str) -> str:
    """The Digital Link of a product: GTIN-8, -12, -13 or -14, with its check digit."""
    return Identifier("gtin", "01", _gtin14(digits)).canonical


def sgtin(gtin: str, serial: str) -> str:
    """One item of a product. ``serial``: 1 to 20 characters of GS1 set 82."""
    return Identifier("sgtin", "01", _gtin14(gtin), "21", decode(for_link(serial), 20)).canonical


def lot(gtin: str, lot: str) -> str:
    """A lot of a product. ``lot``: 1 to 20 characters of GS1 set 82."""
    return Identifier("lgtin", "01", _gtin14(gtin), "10", decode(for_link(lot), 20)).canonical


def sscc(digits: str) -> str:
    """A logistic unit: 18 digits."""
    return Identifier("sscc", "00", _checked(digits, 18)).canonical


def gln(digits: str, ext: str | None = None) -> str:
    """A place: 13 digits, and an extension for a place inside it."""
    if ext is None:
        return Identifier("sgln", "414", _checked(digits, 13)).canonical
    return Identifier("sgln", "414", _checked(digits, 13), "254", decode(for_link(ext), 20)).canonical


def pgln(digits: str) -> str:
    """A party: 13 digits."""
    return Identifier("pgln", "417", _checked(digits, 13)).canonical


def _gtin14(digits: str) -> str:
    if len(digits) not in (8, 12, 13, 14):
        raise InvalidIdentifier(f"a GTIN has 8, 12, 13 or 14 digits, not {len(digits)}: {digits!r}")
    return _checked(digits, len(digits)).zfill(14)


def _checked(digits: str, length: int) -> str:
    if len(digits) != length or not (digits.isascii() and digits.isdecimal()):
        raise InvalidIdentifier(f"expected {length} digits, got {digits!r}")
    if not has_valid_check_digit(digits):
        raise InvalidIdentifier(f"wrong check digit in {digits!r}: it should be {check_digit(digits[:-1])}")
    return digits
