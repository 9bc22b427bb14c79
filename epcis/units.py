"""Units of measure: UN/ECE Recommendation 20 codes, the dimension that each measures, and exact factors.

Quantities of one lot are kept in one unit a dimension, so that kilograms and grams add up. The factors are those by which the
units are defined (the international yard and pound of 1959, the US gallon of 231 cubic inches, the imperial gallon of 1985), as
decimals: no rounding is in them. Tests hold each to Pint's definition.

>>> from decimal import Decimal
>>> from epcis.units import unit
>>> unit("GRM").base, unit("GRM").factor * 500
('KGM', Decimal('0.500'))
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

PIECES = ""
"""The base unit of what is counted. EPCIS leaves ``uom`` out for it."""


class Unit(NamedTuple):
    """What a code measures: ``factor`` times the unit ``base``."""

    base: str
    factor: Decimal


_COUNTED = {
    "H87": 1, "EA": 1, "C62": 1, "NAR": 1, "NMB": 1, "PR": 2, "DZN": 12, "DPC": 12, "GRO": 144, "CEN": 100, "MIL": 1000
}  # fmt: skip
"""Piece, each, one, number of articles, number; pair, dozen, gross, hundred, thousand."""

_MEASURED = {
    "KGM": {
        "KGM": "1", "GRM": "0.001", "MGM": "0.000001", "MC": "0.000000001", "HGM": "0.1", "DG": "0.0001", "CGM": "0.00001",
        "DJ": "0.01", "TNE": "1000", "DTN": "100", "KTN": "1000000",
        "LBR": "0.45359237", "ONZ": "0.028349523125", "APZ": "0.0311034768", "GRN": "0.00006479891", "CTM": "0.0002",
        "STI": "6.35029318", "CWA": "45.359237", "CWI": "50.80234544", "STN": "907.18474", "LTN": "1016.0469088",
    },
    "LTR": {
        "LTR": "1", "MLT": "0.001", "CLT": "0.01", "DLT": "0.1", "HLT": "100", "4G": "0.000001", "MTQ": "1000", "DMQ": "1",
        "CMQ": "0.001", "MMQ": "0.000001", "GLL": "3.785411784", "QTL": "0.946352946", "PTL": "0.473176473", "OZA": "0.0295735295625",
        "GLI": "4.54609", "QTI": "1.1365225", "PTI": "0.56826125", "OZI": "0.0284130625", "BLL": "158.987294928",
        "INQ": "0.016387064", "FTQ": "28.316846592", "YDQ": "764.554857984",
    },
    "MTR": {
        "MTR": "1", "KMT": "1000", "DMT": "0.1", "CMT": "0.01", "MMT": "0.001", "4H": "0.000001",
        "INH": "0.0254", "FOT": "0.3048", "YRD": "0.9144", "SMI": "1609.344", "NMI": "1852",
    },
    "MTK": {
        "MTK": "1", "KMK": "1000000", "HAR": "10000", "ARE": "100", "DMK": "0.01", "CMK": "0.0001", "MMK": "0.000001",
        "INK": "0.00064516", "FTK": "0.09290304", "YDK": "0.83612736",
    },
}  # fmt: skip
"""Mass, volume, length, area."""

UNITS: dict[str, Unit] = {
    **{code: Unit(PIECES, Decimal(number)) for code, number in _COUNTED.items()},
    **{code: Unit(base, Decimal(factor)) for base, codes in _MEASURED.items() for code, factor in codes.items()},
}
"""Every code that is converted."""


def unit(code: str | None) -> Unit:
    """The unit that a code names; without a code, pieces. A code that is not known measures something of its own."""
    if code is None:
        return Unit(PIECES, Decimal(1))
    return UNITS.get(code) or Unit(code, Decimal(1))


def code_of(base: str) -> str | None:
    """The ``uom`` of a base unit: none for pieces."""
    return base or None
