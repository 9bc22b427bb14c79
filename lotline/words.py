"""Things, quantities and handoffs as people read them on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from readmodel.queries.handoffs import HandoffRecord

_UNITS = {
    "KGM": "kg",
    "GRM": "g",
    "TNE": "t",
    "LTR": "l",
    "MLT": "ml",
    "MTR": "m",
    "MTK": "m²",
    "MTQ": "m³",
    "LBR": "lb",
}


def short(identifier: str) -> str:
    """A Digital Link without its address."""
    return identifier.removeprefix("https://id.gs1.org/")


def amount(quantity: float | str | Decimal, uom: str | None) -> str:
    """``12.5 kg``, ``1 piece``."""
    number = f"{Decimal(str(quantity)):,f}"
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    if uom in (None, "", "H87"):  # UN/ECE's code of a piece
        return f"{number} {'piece' if number == '1' else 'pieces'}"
    return f"{number} {_UNITS.get(uom or '', uom)}"


def handed_over(handoff: HandoffRecord, products: Collection[str | None] = ()) -> str:
    """How much: ``120 of 120 pieces`` accepted of what was released; of a mixed pallet, of these products."""
    if handoff.kind == "lot":
        return _of(handoff.accepted, handoff.released, handoff.uom)
    lines = [line for line in handoff.lines if line.product in products] or handoff.lines
    return " + ".join(_of(line.accepted, line.released, line.uom) for line in lines)


def _of(accepted: float | str | None, released: float | str | None, uom: str | None) -> str:
    if released is None or accepted is None:
        known = released if released is not None else accepted
        return "" if known is None else amount(known, uom)
    return f"{amount(accepted, uom).rpartition(' ')[0]} of {amount(released, uom)}"


def hop(handoff: HandoffRecord, names: Mapping[str, str]) -> str:
    """``from Farm to Shop, released 2026-05-04, accepted 2026-05-06, 120 of 120 pieces``."""
    parts = [f"from {_side(handoff, 'from', names)} to {_side(handoff, 'to', names)}"]
    parts += [
        f"{word} {when:%Y-%m-%d}"
        for word, when in (("released", handoff.released_at), ("accepted", handoff.accepted_at))
        if isinstance(when, datetime)
    ]
    if much := handed_over(handoff):
        parts.append(much)
    return ", ".join(parts)


def _side(handoff: HandoffRecord, side: str, names: Mapping[str, str]) -> str:
    party, place = (handoff.from_party, handoff.from_place) if side == "from" else (handoff.to_party, handoff.to_place)
    known = [names.get(identifier, short(identifier)) for identifier in (party, place) if identifier]
    return ", ".join(known) or "somebody unnamed"
