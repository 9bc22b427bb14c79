"""The walk that a proof is closed under: everything that the events tie to a thing, both ways. Pure.

It follows the rules of the trace (docs/read-model.md) and where those weigh what is likelier, all of it: a lot is followed whole,
whichever part of it was meant, and goods in a carrier as long as they may have been in it. So it finds whatever the trace
finds, and needs nothing but the events themselves.

Upstream: *material* is the start, what it was made of, and what was in that. Downstream: what was made of it. A *carrier* held material
for a while: its own carriers, and what was made of it meanwhile, belong to the walk, other things that it carried do not. An
*origin* is the lot of material: upstream only how it was made matters.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from epcis.formats import utc_microseconds
from epcis.identifiers import InvalidIdentifier, parse
from proofs.story import EVER, NEVER, Story

Direction = Literal["upstream", "downstream", "both", "none"]
SKEW = timedelta(minutes=5)
"""Clocks differ: what was made of something may be told of so much earlier."""


class Stay(NamedTuple):
    """A carrier, and from when to when it matters."""

    uri: str
    low: str
    high: str


class Walk:
    """What one direction of the walk reached. ``material`` has the latest (upstream) or earliest (downstream) moment that matters."""

    def __init__(self, story: Story, start: str, *, upstream: bool) -> None:
        self._story = story
        self._upstream = upstream
        self._near, self._far = ("output", "input") if upstream else ("input", "output")
        self.material: dict[str, str] = {}
        self.carriers: dict[Stay, None] = {}
        self.origins: dict[str, None] = {}
        self.makings: dict[str, None] = {}
        self._waiting: deque[str | Stay] = deque()
        self._reach(start, EVER if upstream else NEVER)
        while self._waiting:
            one = self._waiting.popleft()
            if isinstance(one, Stay):
                self._follow_carrier(one)
            else:
                self._follow(one)

    def _reach(self, uri: str, bound: str) -> None:
        known = self.material.get(uri)
        if known is None or (bound > known if self._upstream else bound < known):
            self.material[uri] = bound
            self._waiting.append(uri)

    def _matters(self, low: str, high: str, bound: str) -> bool:
        return low <= bound if self._upstream else high >= bound

    def _follow(self, uri: str) -> None:
        story, bound = self._story, self.material[uri]
        is_class = uri in story.as_class
        for parent, low, high in story.carriers.get(uri, ()):
            if is_class or self._matters(low, high, bound):
                self._carry(Stay(parent, low, high))
        for child, low, high in story.contents.get(uri, ()):
            if self._matters(low, high, bound):
                self._reach(child, min(bound, high) if self._upstream else max(bound, low))
        for making, time in story.made.get((self._near, uri), ()):
            if is_class or self._matters(time, time, bound):
                self._make(making)
        if self._upstream:
            self._follow_origins(uri)
        else:
            for member in story.members.get(uri, ()):
                self._reach(member, bound)

    def _follow_origins(self, uri: str) -> None:
        for lot in self._story.lots.get(uri, ()):
            if lot not in self.origins:
                self.origins[lot] = None
                for making, _ in self._story.made.get(("output", lot), ()):
                    self._make(making)
        for member in self._story.members.get(uri, ()):
            for making, _ in self._story.made.get(("output", member), ()):
                self._make(making)

    def _follow_carrier(self, stay: Stay) -> None:
        for parent, low, high in self._story.carriers.get(stay.uri, ()):
            if low <= stay.high and high >= stay.low:
                self._carry(Stay(parent, max(low, stay.low), min(high, stay.high)))
        for making, time in self._story.made.get((self._near, stay.uri), ()):
            if stay.low <= time <= stay.high:
                self._make(making)

    def _carry(self, stay: Stay) -> None:
        if stay not in self.carriers:
            self.carriers[stay] = None
            self._waiting.append(stay)

    def _make(self, making: str) -> None:
        if making in self.makings:
            return
        self.makings[making] = None
        for uri, time in self._story.parts.get((making, self._far), ()):
            self._reach(uri, _moved(time, SKEW if self._upstream else -SKEW))


def _moved(time: str, by: timedelta) -> str:
    return utc_microseconds((datetime.fromisoformat(time) + by).isoformat())


class Reached(NamedTuple):
    """What the walk found: every thing with how it matters, and the ties (transformationIDs) of what was made."""

    roles: dict[str, str]
    ties: set[str]


def reached(story: Story, start: str, direction: Direction) -> Reached:
    """Walk from a thing. ``none``: the thing itself only."""
    roles: dict[str, str] = {start: "start"}
    ties: set[str] = set()
    for upstream in (True, False):
        if direction in ("none", "downstream" if upstream else "upstream"):
            continue
        walk = Walk(story, start, upstream=upstream)
        for role, found in (
            ("material", walk.material),
            ("carrier", [stay.uri for stay in walk.carriers]),
            ("lot", walk.origins),
        ):
            for uri in found:
                roles.setdefault(uri, role)
        ties |= {story.ties[making] for making in walk.makings if making in story.ties}
    return Reached(roles, ties)


def needed(story: Story, found: Reached) -> tuple[list[str], list[str]]:
    """The things, and the classes, of which all events must be there: what names one thing by its very number has a trail as a thing;
    anything else may have been named either way."""
    classes = [uri for uri in found.roles if uri in story.as_class or not is_instance(uri)]
    return sorted(found.roles), sorted({*classes, *found.ties})


def is_instance(uri: str) -> bool:
    """Whether a number of GS1's names one thing and no kind of things."""
    try:
        return parse(uri).is_instance
    except InvalidIdentifier:
        return False
