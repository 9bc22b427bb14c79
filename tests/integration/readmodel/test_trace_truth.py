"""Traces against what really happened: goods move piece by piece, and every way a piece really went must be on the trace."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from readmodel import Projector
from readmodel.projector import clear
from readmodel.queries import Trace, trace
from tests.effort import examples
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder

LOT, RAW, LATER = c.lot("A"), c.lot("RAW", c.OTHER_GTIN), c.lot("RAW2", c.OTHER_GTIN)
STEPS = st.lists(
    st.tuples(st.sampled_from(["make", "pack", "pack", "move", "move", "sell", "cook"]), st.integers(0, 10_000)),
    min_size=3,
    max_size=16,
)
PLACES = (1, 2, 3)


@dataclass
class Piece:
    """One piece of the lot, and all that it was ever on, in or of."""

    raw: str
    pallets: list[str] = field(default_factory=list)


@dataclass
class World:
    """Where the pieces are, what was reported, and what came of it."""

    shelves: dict[int, list[Piece]] = field(default_factory=lambda: {place: [] for place in PLACES})
    pallets: dict[str, list[Piece]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    below: dict[str, set[str]] = field(default_factory=dict)
    """By pallet, or dish: the pallets and raw lots that pieces in it had been of."""
    sealed: dict[str, int] = field(default_factory=dict)

    @property
    def hour(self) -> float:
        return float(len(self.events))

    def take(self, place: int, chance: random.Random) -> list[Piece]:
        shelf = self.shelves[place]
        chance.shuffle(shelf)
        count = chance.choice([len(shelf), chance.randint(1, len(shelf))])
        taken, self.shelves[place] = shelf[:count], shelf[count:]
        return taken

    def holds(self, name: str, pieces: list[Piece]) -> None:
        self.below[name] = {one for piece in pieces for one in (piece.raw, *piece.pallets)}


def at(place: int) -> dict[str, Any]:
    return {"bizLocation": {"id": c.place(place)}}


def some(pieces: int, lot: str = LOT) -> list[dict[str, Any]]:
    return [{"epcClass": lot, "quantity": pieces}]


def play(steps: list[tuple[str, int]]) -> World:
    """What happened, step by step; steps that nothing can be done about are left out."""
    world = World()
    for what, seed in steps:
        chance = random.Random(seed)
        if what == "make":
            _make(world, chance)
        elif what == "move":
            _move(world, chance)
        else:
            _use(world, what, chance)
    return world


def _make(world: World, chance: random.Random) -> None:
    raw, count = chance.choice([RAW, LATER]), chance.randint(1, 6)
    lists = {"inputQuantityList": some(1, raw), "outputQuantityList": some(count)}
    world.events.append(c.transform(world.hour, [], [], **lists, **at(1)))
    world.shelves[1] += [Piece(raw) for _ in range(count)]


def _move(world: World, chance: random.Random) -> None:
    if not world.sealed:
        return
    pallet = chance.choice(sorted(world.sealed))
    del world.sealed[pallet]
    place, pieces = chance.choice(PLACES), world.pallets[pallet]
    listed = {"childQuantityList": some(len(pieces))} if chance.random() < 0.7 else {}
    world.events.append(c.pack(world.hour, pallet, (), "DELETE", **listed, **at(place)))
    world.shelves[place] += pieces


def _use(world: World, what: str, chance: random.Random) -> None:
    filled = [place for place in PLACES if world.shelves[place]]
    if not filled:
        return
    place = chance.choice(filled)
    pieces = world.take(place, chance)
    if what == "sell":
        sold = c.object_event(world.hour, "DELETE", "retail_selling", quantityList=some(len(pieces)), **at(place))
        world.events.append(sold)
        return
    name = c.sscc(len(world.events) + 1) if what == "pack" else c.lot(f"DISH{len(world.events)}", c.OTHER_GTIN)
    world.holds(name, pieces)
    if what == "cook":
        lists = {"inputQuantityList": some(len(pieces)), "outputQuantityList": some(1, name)}
        world.events.append(c.transform(world.hour, [], [], **lists, **at(place)))
        return
    world.events.append(c.pack(world.hour, name, (), childQuantityList=some(len(pieces)), **at(place)))
    world.pallets[name], world.sealed[name] = pieces, place
    for piece in pieces:
        piece.pallets.append(name)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_every_way_a_piece_really_went_is_on_the_trace(sqlite_engine: Engine, steps: list[tuple[str, int]]) -> None:
    world = play([("make", 1), *steps])
    clear(sqlite_engine)
    chain = ChainBuilder()
    chain.capture(*world.events)
    Projector(sqlite_engine).apply(chain.blocks)
    named = {LOT, RAW, LATER, *world.below}
    with sqlite_engine.connect() as connection:

        def asked(name: str, direction: Any) -> Trace | None:
            return trace(connection, name, direction=direction)

        up = {name: _found(asked(name, "upstream"), named) for name in world.below}
        down = {name: _found(asked(name, "downstream"), named) for name in named}
        for name, truth in world.below.items():
            assert truth <= up[name].keys(), (name, truth - up[name].keys())
            # there and back are the same, and as sure
            for source in named - {name, LOT}:
                assert (source in up[name]) == (name in down[source]), (source, name)
            for source in world.below.keys() & up[name].keys() - {name}:
                assert up[name][source] == down[source][name], (source, name)
            sure = {source for source, is_possible in up[name].items() if not is_possible}
            assert sure & (world.pallets.keys() | {RAW, LATER}) - {name} <= truth


def _found(found: Trace | None, named: set[str]) -> dict[str, bool]:
    """Which of these are on a trace, and whether only possibly."""
    return {} if found is None else {node.id: node.possible for node in found.nodes if node.id in named}
