"""Quantities as the ledger counts them: exact decimals in the base unit of what they measure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context as Arithmetic
from decimal import Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar

from chaincode.context import decimal
from chaincode.facts import Fact
from chaincode.rejection import Rejection
from epcis import QuantityElement
from epcis.identifiers import identify
from epcis.units import PIECES, unit

_P = ParamSpec("_P")
_T = TypeVar("_T")

NOTHING = Decimal(0)
MOST = Decimal(10) ** 12
MOST_DIGITS, MOST_DECIMALS = 15, 6
"""What one statement can say: less than ``MOST``, in so many significant digits, in millionths at the finest."""

_EXACT = Arithmetic(prec=120, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_VARIABLE_MEASURE = "9"


class Amount(NamedTuple):
    """So much in a base unit; ``quantity`` None: nobody counted."""

    quantity: Decimal | None
    base: str


def exactly(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """A function whose sums of quantities are exact, however many are added up: what would be rounded raises instead."""

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with localcontext(_EXACT):
            return function(*args, **kwargs)

    return run


def measure(fact: Fact, element: QuantityElement) -> Amount:
    """What an element says, in the base unit. Raises Rejection: it is more, or finer, than the ledger counts."""
    measured = unit(element.uom)
    if element.quantity is None:
        return Amount(None, measured.base)
    stated = decimal(element.quantity)
    _check_range(element, stated)
    with localcontext(_EXACT):
        quantity = stated * measured.factor
    if measured.base == PIECES and quantity % 1 and not _is_variable_measure(element):
        fact.flags.add("fractional_pieces")
    return Amount(quantity, measured.base)


def _check_range(element: QuantityElement, stated: Decimal) -> None:
    _, digits, exponent = stated.as_tuple()
    fits = stated == 0
    if not fits and isinstance(exponent, int) and stated.adjusted() < MOST.adjusted():
        shown = "".join(map(str, digits)).rstrip("0")
        fits = len(shown) <= MOST_DIGITS and exponent + len(digits) - len(shown) >= -MOST_DECIMALS
    if not fits:
        detail = (
            f"{element.epc_class}: quantities are less than {MOST:f}, of at most {MOST_DIGITS} digits,"
            f" {MOST_DECIMALS} of them after the point"
        )
        raise Rejection("quantity_range", detail, "quantity", item=element.epc_class)


def _is_variable_measure(element: QuantityElement) -> bool:
    """A GTIN whose first digit says that it is weighed or measured: a number without unit may be of kilograms."""
    known = identify(element.epc_class)
    gtin = known.gtin if known is not None else None
    return element.uom is None and gtin is not None and gtin.startswith(_VARIABLE_MEASURE)
