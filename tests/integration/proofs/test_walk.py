"""The proof's walk against the trace in SQL: whatever happened, it finds all that the trace finds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from proofs.story import Story, read_record
from proofs.walk import reached
from readmodel import Projector, migrate, open_engine
from readmodel.projector import clear
from readmodel.queries import trace
from tests.effort import examples
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder
from tests.integration.readmodel.test_trace_truth import STEPS, play

ITEMS = [c.item(n) for n in range(1, 5)]
PALLETS = [c.sscc(n) for n in range(1, 4)]
LOTS = [c.lot(name) for name in "AB"]
THINGS = [*ITEMS, *PALLETS, *LOTS]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    url = f"sqlite:///{tmp_path_factory.mktemp('walk') / 'readmodel.db'}"
    migrate(url)
    return open_engine(url)


def _pack(hour: int, pallet: str, things: list[str], action: str, *, loose: bool) -> dict[str, Any]:
    quantity = {"childQuantityList": [{"epcClass": LOTS[hour % 2], "quantity": 1 + hour % 3}]} if loose else {}
    children = [thing for thing in things if thing != pallet]
    if not children and not loose and action != "DELETE":
        children = [ITEMS[0]]
    return c.pack(hour, pallet, children, action, bizLocation={"id": c.place(1 + hour % 2)}, **quantity)


_HOURS = st.integers(0, 12)
_SOME = st.lists(st.sampled_from([*ITEMS, *PALLETS]), max_size=3, unique=True)
_PACKING = st.builds(
    _pack,
    _HOURS,
    st.sampled_from(PALLETS),
    _SOME,
    st.sampled_from(["ADD", "ADD", "DELETE", "OBSERVE"]),
    loose=st.booleans(),
)
_MAKING = st.builds(
    lambda hour, inputs, outputs: c.transform(hour, inputs, outputs, bizLocation={"id": c.place(1)}),
    _HOURS,
    st.lists(st.sampled_from(THINGS), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(THINGS), min_size=1, max_size=2, unique=True),
)
_HANDLING = st.builds(
    lambda hour, things, step: c.object_event(hour, "OBSERVE", step, epcList=things, bizLocation={"id": c.place(2)}),
    _HOURS,
    st.lists(st.sampled_from([*ITEMS, *PALLETS]), min_size=1, max_size=2, unique=True),
    st.sampled_from(["shipping", "receiving", "inspecting"]),
)
_BEGINNING = st.builds(
    lambda hour, thing, lot: c.object_event(
        hour, "ADD", "commissioning", epcList=[thing], ilmd={"cbvmda:lotNumber": lot}, bizLocation={"id": c.place(1)}
    ),
    st.just(0),
    st.sampled_from(ITEMS),
    st.sampled_from("AB"),
)


def _compare(engine: Engine, events: list[dict[str, Any]], things: list[str]) -> None:
    events = list({json.dumps(one): one for one in events}.values())
    clear(engine)
    chain = ChainBuilder()
    lots = {one["epcList"][0]: c.lot(one["ilmd"]["cbvmda:lotNumber"]) for one in events if "ilmd" in one}
    chain.capture(*events, also=[c.state(thing, lot=lot) for thing, lot in sorted(lots.items())])
    Projector(engine).apply(chain.blocks)
    story = Story(read_record(json.dumps({"event": one, "msp": c.MSP}, sort_keys=True)) for one in events)
    with engine.connect() as connection:
        for thing in things:
            for direction in ("upstream", "downstream"):
                found = trace(connection, thing, direction=direction)
                if found is None:
                    continue
                named = {node.id for node in found.nodes if node.kind != "transformation"}
                roles = reached(story, thing, direction).roles
                assert named <= roles.keys(), (thing, direction, named - roles.keys())


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(_PACKING, _PACKING, _MAKING, _HANDLING, _BEGINNING), min_size=1, max_size=14))
def test_the_walk_finds_whatever_the_trace_finds(engine: Engine, events: list[dict[str, Any]]) -> None:
    _compare(engine, events, THINGS)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_walk_finds_whatever_the_trace_finds_of_parts_of_lots(engine: Engine, steps: list[tuple[str, int]]) -> None:
    world = play([("make", 1), *steps])
    _compare(engine, world.events, [c.lot("A"), *world.below])
