"""Which events of a job the contract cannot take, when it refuses the job as such: found by asking it for parts of the job."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ledger.errors import RejectedByContract

MOST_QUESTIONS = 400
"""A job of ten thousand events with one that is bad takes some thirty."""


@dataclass(frozen=True, slots=True)
class Poison:
    """One event that the contract refuses by itself, by its place in the job."""

    place: int
    error: RejectedByContract


async def find_poison(events: Sequence[str], ask: Callable[[Sequence[str]], Awaitable[None]]) -> list[Poison]:
    """The events that are refused alone, in their order. ``ask`` has the contract look at some of them, without writing, and
    raises `RejectedByContract` when it refuses; other errors pass through. Empty if no event is to blame by itself, or too many
    are."""
    found: list[Poison] = []
    questions = 0
    parts = [(0, len(events))]
    while parts:
        first, end = parts.pop()
        questions += 1
        if questions > MOST_QUESTIONS:
            return []
        try:
            await ask(events[first:end])
        except RejectedByContract as error:
            if end - first == 1:
                found.append(Poison(first, error))
            else:
                middle = (first + end) // 2
                parts += [(middle, end), (first, middle)]
    return found


def events_of(payload: bytes) -> list[str]:
    """A stored list of events taken apart, each as it was written: what is read and written again may be another one."""
    text = payload.decode()
    scan = json.JSONDecoder().raw_decode
    events, at = [], 1
    while at < len(text) - 1:
        _, end = scan(text, at)
        events.append(text[at:end])
        at = end + 1
    return events


def payload_of(events: Sequence[str]) -> bytes:
    """The reverse."""
    return f"[{','.join(events)}]".encode()
