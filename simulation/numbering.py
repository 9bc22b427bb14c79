"""Identifiers on a company prefix that GS1 keeps for demonstrations (952): nobody's real number looks like these."""

from __future__ import annotations

from epcis import identifiers

_PREFIX = "9524001"


def _checked(digits: str) -> str:
    return digits + identifiers.check_digit(digits)


def gtin14(item: int, level: int = 0) -> str:
    """A product's GTIN; ``level`` is the packaging level (0 a consumer unit, 1 a case of it)."""
    return _checked(f"{level}{_PREFIX}{item:05d}")


def place(number: int) -> str:
    """A place (GLN)."""
    return identifiers.gln(_checked(f"{_PREFIX}{number:05d}"))


def party(number: int) -> str:
    """A party (PGLN)."""
    return identifiers.pgln(_checked(f"{_PREFIX}{number:05d}"))


def pallet(number: int) -> str:
    """A logistic unit (SSCC)."""
    return identifiers.sscc(_checked(f"0{_PREFIX}{number:09d}"))


def case(gtin: str, number: int) -> str:
    """A serialised case (SGTIN)."""
    return identifiers.sgtin(gtin, f"C{number}")


def lot(gtin: str, number: int) -> str:
    """A lot (LGTIN)."""
    return identifiers.lot(gtin, lot_number(number))


def lot_number(number: int) -> str:
    """What is printed on the goods."""
    return f"L{number:05d}"


def document(party_uri: str, kind: str, number: int) -> str:
    """A business document's CBV identifier."""
    return f"urn:epcglobal:cbv:bt:{party_uri.rpartition('/')[2]}:{kind}{number:06d}"
