"""Units of measure are those of UN/ECE Recommendation 20, and their factors exact."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pint
import pytest

from epcis.units import PIECES, UNITS, code_of, unit

_NAMES = {
    "KGM": "kilogram", "GRM": "gram", "MGM": "milligram", "MC": "microgram", "HGM": "hectogram", "DG": "decigram",
    "CGM": "centigram", "DJ": "decagram", "TNE": "metric_ton", "DTN": "100 * kilogram", "KTN": "1000 * metric_ton",
    "LBR": "pound", "ONZ": "ounce", "APZ": "troy_ounce", "GRN": "grain", "CTM": "carat", "STI": "stone",
    "CWA": "hundredweight", "CWI": "long_hundredweight", "STN": "US_ton", "LTN": "UK_ton",
    "LTR": "liter", "MLT": "milliliter", "CLT": "centiliter", "DLT": "deciliter", "HLT": "hectoliter", "4G": "microliter",
    "MTQ": "meter**3", "DMQ": "decimeter**3", "CMQ": "centimeter**3", "MMQ": "millimeter**3", "GLL": "gallon",
    "QTL": "quart", "PTL": "pint", "OZA": "fluid_ounce", "GLI": "imperial_gallon", "QTI": "imperial_quart",
    "PTI": "imperial_pint", "OZI": "imperial_fluid_ounce", "BLL": "oil_barrel", "INQ": "inch**3", "FTQ": "foot**3",
    "YDQ": "yard**3",
    "MTR": "meter", "KMT": "kilometer", "DMT": "decimeter", "CMT": "centimeter", "MMT": "millimeter", "4H": "micrometer",
    "INH": "inch", "FOT": "foot", "YRD": "yard", "SMI": "mile", "NMI": "nautical_mile",
    "MTK": "meter**2", "KMK": "kilometer**2", "HAR": "hectare", "ARE": "are", "DMK": "decimeter**2",
    "CMK": "centimeter**2", "MMK": "millimeter**2", "INK": "inch**2", "FTK": "foot**2", "YDK": "yard**2",
}  # fmt: skip
_REGISTRY: pint.UnitRegistry[Fraction] = pint.UnitRegistry(non_int_type=Fraction)


@pytest.mark.parametrize("code", sorted(code for code, known in UNITS.items() if known.base != PIECES))
def test_each_factor_is_its_definitions(code: str) -> None:
    known = unit(code)
    assert _REGISTRY.parse_expression(_NAMES[code]).to(_NAMES[known.base]).magnitude == Fraction(known.factor)


def test_pieces_have_no_code() -> None:
    assert unit(None) == unit("H87") == unit("EA") == unit("C62") == unit("NAR")
    assert (code_of(unit("EA").base), code_of("KGM")) == (None, "KGM")
    assert unit("DZN").factor == 12


def test_a_code_that_is_not_known_measures_something_of_its_own() -> None:
    assert unit("XQX") == ("XQX", Decimal(1))
