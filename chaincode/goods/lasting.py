"""What does not add up as things are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaincode.goods import entries as e
from chaincode.goods.outcome import Faults, fault_of
from epcis.identifiers import identify

if TYPE_CHECKING:
    from chaincode.goods.fold import Fold


def lasting_faults(fold: Fold, faults: Faults) -> None:
    """What does not add up as things are now, by kind and subject."""
    at, item = fold.at, fold.item
    if at.maker is None and at.first is not None and is_product(item):
        detail = f"{item} is in use; nobody reported its making"
        faults[("uncommissioned", item)] = fault_of(detail, *at.first)
    for msp, touch in at.touches.items() if fold.doubted else ():
        if not touch.held:
            detail = f"{msp} handled {item}, which {touch.by} held"
            faults[("custody", f"{item}\n{msp}")] = fault_of(detail, touch.time, touch.event, msp, touch.whose)
    if at.misused is not None and (past := _past(fold)) is not None:
        time, event, msp = at.misused
        faults[("after_end", item)] = fault_of(f"{item} {past}, and used at {time}", time, event, msp, at.party)


def _past(fold: Fold) -> str | None:
    """What was the last that should have become of it."""
    at = fold.at
    ended = at.ended or at.denied
    if ended is not None:
        return f"was {ended[1]} at {ended[0]} by {ended[2]}"
    return None if at.sold is None else f"was sold at {at.sold[0]}"


def is_product(uri: str) -> bool:
    """Whether a thing is of a product, which somebody makes; logistic units and assets only get a label."""
    known_as = identify(uri)
    return known_as is not None and known_as.gtin is not None


def note_missed(faults: Faults, item: str, missed: list[Any]) -> None:
    """It was taken out of what it was not in."""
    time, of, event, msp, party = missed
    detail = f"{item} was taken out of {of}, and nobody reported that it was in it"
    faults[("not_packed", f"{item}\n{e.event_uri(event)}")] = fault_of(detail, time, event, msp, party)
