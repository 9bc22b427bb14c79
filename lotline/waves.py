"""Cutting a stream of many organisations' events into waves that may each be sent at once.

Every organisation's events reach the ledger in their order, but two organisations are independent of one
another: the ledger would take a shop's sale of a lot before the plant's making of it, and call the lot
unknown. So events go in waves: what one organisation does with a thing that it got from another belongs to a
later wave than the other's events. A release and its acceptance may come in either order, so a wave needn't
wait for more than that: the number of waves is the number of hands a thing goes through, however long the
stream.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from epcis import Event


@dataclass(frozen=True, slots=True)
class Said:
    """An event in stored form, the organisation that says it and the things it is about."""

    msp: str
    stored: bytes
    things: tuple[str, ...]


Wave = dict[str, list[Said]]
"""By organisation, in its order."""


def cut(events: Iterable[Said]) -> list[Wave]:
    """The waves of a stream, to be sent one after the other.

    A long stream may be cut in chunks: everything in the chunks before is on the ledger then, and nobody
    needs to wait for it.
    """
    waves: dict[int, Wave] = {}
    hands: dict[str, dict[str, int]] = defaultdict(dict)
    for said in events:
        level = max((_hand(hands[thing], said.msp) for thing in said.things), default=0)
        for thing in said.things:
            hands[thing][said.msp] = level
        waves.setdefault(level, defaultdict(list))[said.msp].append(said)
    return [waves[level] for level in sorted(waves)]


def _hand(hands: dict[str, int], msp: str) -> int:
    """The wave in which an organisation has a thing: one after that of whoever had it last."""
    if msp in hands:
        return hands[msp]
    return max(hands.values()) + 1 if hands else 0


def things_of(event: Event) -> tuple[str, ...]:
    """Every instance and class an event is about, once."""
    return tuple(dict.fromkeys([*event.instances, *event.classes]))
