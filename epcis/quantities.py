"""Which quantities an event may state: those that stay exact wherever they are kept."""

from __future__ import annotations

from decimal import Decimal

from epcis.events import Event
from epcis.problems import pointer
from epcis.reading import Inexact

LIMIT = 10**12
MAX_DIGITS = 15
MAX_DECIMALS = 15
_NAMES = {
    "quantity_list": "quantityList",
    "child_quantity_list": "childQuantityList",
    "input_quantity_list": "inputQuantityList",
    "output_quantity_list": "outputQuantityList",
}


def faults_of_quantities(event: Event) -> list[tuple[str, str, str]]:
    """(JSON pointer, code, message) of every quantity out of range."""
    said, found = vars(event), []
    for field in event._class_fields:
        for place, element in enumerate(said[field]):
            number = element.quantity
            if number is None or (type(number) is int and -LIMIT < number < LIMIT):
                continue
            if (reason := _reason(number)) is not None:
                found.append((pointer(_NAMES[field], place, "quantity"), "quantity_range", reason))
    return found


def _reason(number: int | float) -> str | None:
    if isinstance(number, Inexact):
        return f"{number.text} has more than {MAX_DIGITS} significant digits, and would be rounded"
    amount = Decimal(number if isinstance(number, int) else repr(number))
    if not -LIMIT < amount < LIMIT:
        return f"{number} is not below 10^12"
    digits = amount.normalize().as_tuple()
    if len(digits.digits) > MAX_DIGITS:
        return f"{number} has more than {MAX_DIGITS} significant digits"
    if isinstance(digits.exponent, int) and -digits.exponent > MAX_DECIMALS:
        return f"{number} has more than {MAX_DECIMALS} decimals"
    return None
