"""Exceptions about handoffs of lots. They say by which statement they show, whatever was told last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chaincode.context import Context
from chaincode.exceptions import Fault, close_exception, open_fault
from chaincode.facts import Fact

Faults = dict[str, str]
"""Kinds of exceptions and what they say."""


class Shown(NamedTuple):
    """The statement that shows a fault: its event's hash URI, its time, and whose it is."""

    event: str
    time: str
    msp: str


def update(
    context: Context,
    cause: Fact,
    identity: str,
    item: str,
    shown: Shown,
    parties: Iterable[str | None],
    before: Iterable[str],
    now: Faults,
) -> None:
    """Bring the exceptions of a handoff from the kinds that were open to those that are."""
    for kind in sorted(set(before) - now.keys()):
        close_exception(context, cause, kind, identity)
    whom = tuple({party for party in parties if party is not None})
    for kind, detail in sorted(now.items()):
        open_fault(context, kind, identity, Fault(detail, whom, *shown, identity), item=item)
