"""Trace: what is on it, and above all what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from fabric.words.blocks import Write
from readmodel import Projector
from readmodel.intervals import Fact, of_instance
from readmodel.projector import clear
from readmodel.queries import Trace, trace
from readmodel.queries.trace import Direction
from tests.effort import examples
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder


def traced(engine: Engine, events: list[dict[str, Any]], start: str, direction: Direction, **limits: Any) -> Trace:
    return traced_with(engine, events, [], start, direction, **limits)


def traced_with(
    engine: Engine, events: list[dict[str, Any]], also: list[Write], start: str, direction: Direction, **limits: Any
) -> Trace:
    chain = ChainBuilder()
    chain.capture(*events, also=also)
    Projector(engine).apply(chain.blocks)
    with engine.connect() as connection:
        found = trace(connection, start, direction=direction, **limits)
    assert found is not None
    return found


def things(found: Trace) -> set[str]:
    return {node.id for node in found.nodes if node.kind != "transformation"}


def roles(found: Trace) -> dict[str, str]:
    return {node.id: node.role for node in found.nodes if node.kind != "transformation"}


def steps(found: Trace) -> list[tuple[str | None, float]]:
    return [(one.biz_step, (one.event_time - c.DAY0).total_seconds() / 3600) for one in found.events]


def test_the_unknown_has_no_trace(engine: Engine) -> None:
    with engine.connect() as connection:
        assert trace(connection, c.item(1)) is None


def test_a_recalled_lot_reaches_everything_made_of_it(engine: Engine) -> None:
    events = [
        c.transform(0, [c.lot("RAW")], [c.lot("MID")]),
        c.transform(1, [c.lot("MID")], [c.item(1), c.item(2)]),
        c.transform(1, [c.lot("OTHER")], [c.item(3)]),
        c.pack(2, c.sscc(1), [c.item(1), c.item(3)]),
        c.object_event(3, step="shipping", epcList=[c.sscc(1)]),
    ]
    found = traced(engine, events, c.lot("RAW"), "downstream")
    assert roles(found) == {
        c.lot("RAW"): "start",
        c.lot("MID"): "material",
        c.item(1): "material",
        c.item(2): "material",
        c.sscc(1): "carrier",
    }
    assert steps(found) == [("commissioning", 0), ("commissioning", 1), ("packing", 2), ("shipping", 3)]
    assert {(edge.source, edge.target, edge.kind) for edge in found.edges if edge.kind == "contains"} == {
        (c.sscc(1), c.item(1), "contains")
    }


def test_upstream_is_the_way_back(engine: Engine) -> None:
    events = [
        c.transform(0, [c.lot("RAW"), c.lot("SALT")], [c.lot("MID")]),
        c.transform(1, [c.lot("MID")], [c.item(1), c.item(2)]),
        c.transform(1, [c.lot("OTHER")], [c.item(3)]),
    ]
    assert things(traced(engine, events, c.item(1), "upstream")) == {
        *(c.item(1), c.lot("MID"), c.lot("RAW"), c.lot("SALT"))
    }


def test_a_thing_shares_a_pallets_fate_only_while_it_is_on_it(engine: Engine) -> None:
    events = [
        c.object_event(0, step="shipping", epcList=[c.sscc(1)]),
        c.pack(1, c.sscc(1), [c.item(1)]),
        c.object_event(2, step="shipping", epcList=[c.sscc(1)]),
        c.pack(3, c.sscc(1), [c.item(1)], "DELETE"),
        c.object_event(4, step="shipping", epcList=[c.sscc(1)]),
        c.transform(5, [c.sscc(1)], [c.item(9)]),
    ]
    found = traced(engine, events, c.item(1), "both")
    assert steps(found) == [("packing", 1), ("shipping", 2), ("unpacking", 3)]
    assert c.item(9) not in things(found)


def test_what_it_is_still_in_it_did_not_come_from(engine: Engine) -> None:
    events = [
        c.pack(1, c.sscc(1), [c.item(1)]),
        c.pack(2, c.sscc(1), [c.item(1)], "DELETE"),
        c.pack(3, c.sscc(2), [c.item(1)]),
    ]
    assert things(traced(engine, events, c.item(1), "upstream")) == {c.item(1), c.sscc(1)}
    clear(engine)
    assert things(traced(engine, events, c.sscc(2), "upstream")) == {c.sscc(2), c.item(1), c.sscc(1)}
    clear(engine)
    assert things(traced(engine, events, c.sscc(2), "downstream")) == {c.sscc(2), c.item(1)}
    clear(engine)
    assert things(traced(engine, events, c.sscc(1), "upstream")) == {c.sscc(1), c.item(1)}


def test_what_holds_the_pallet_counts_while_both_last(engine: Engine) -> None:
    events = [
        c.pack(1, c.sscc(1), [c.item(1)]),
        c.pack(3, c.sscc(1), [c.item(1)], "DELETE"),
        c.pack(2, c.sscc(50), [c.sscc(1)]),
        c.pack(6, c.sscc(50), [c.sscc(1)], "DELETE"),
        c.object_event(2.5, step="shipping", epcList=[c.sscc(50)]),
        c.object_event(4, step="receiving", epcList=[c.sscc(50)]),
        c.pack(7, c.sscc(60), [c.sscc(1)]),
    ]
    found = traced(engine, events, c.item(1), "downstream")
    assert c.sscc(60) not in things(found)
    assert ("shipping", 2.5) in steps(found)
    assert ("receiving", 4) not in steps(found)


def test_using_up_a_pallet_uses_up_what_is_on_it(engine: Engine) -> None:
    events = [c.pack(1, c.sscc(1), [c.item(1), c.item(2)]), c.transform(2, [c.sscc(1)], [c.lot("B")])]
    found = traced(engine, events, c.item(1), "downstream")
    assert things(found) == {c.item(1), c.sscc(1), c.lot("B")}


def test_a_traced_pallet_brings_its_contents(engine: Engine) -> None:
    events = [
        c.transform(0, [c.lot("RAW")], [c.item(1)]),
        c.pack(1, c.sscc(1), [c.item(1)]),
        c.pack(2, c.sscc(1), [c.item(1)], "DELETE"),
        c.transform(3, [c.item(1)], [c.lot("B")]),
    ]
    assert things(traced(engine, events, c.sscc(1), "downstream")) == {c.sscc(1), c.item(1), c.lot("B")}
    clear(engine)
    assert things(traced(engine, events, c.sscc(1), "upstream")) == {c.sscc(1), c.item(1), c.lot("RAW")}


def test_what_went_in_later_does_not_concern_what_came_out_before(engine: Engine) -> None:
    events = [
        c.transform(0, [c.lot("EARLY")], [c.lot("TANK")]),
        c.transform(2, [c.lot("TANK")], [c.item(1)]),
        c.transform(4, [c.lot("LATE")], [c.lot("TANK")]),
        c.transform(6, [c.lot("TANK")], [c.item(2)]),
    ]
    assert things(traced(engine, events, c.item(1), "upstream")) == {c.item(1), c.lot("TANK"), c.lot("EARLY")}
    clear(engine)
    assert things(traced(engine, events, c.lot("LATE"), "downstream")) == {c.lot("LATE"), c.lot("TANK"), c.item(2)}


def test_clocks_may_differ_a_little(engine: Engine) -> None:
    """Packed a minute "before" it was made: the labeller's clock is behind."""
    events = [c.transform(1, [c.lot("RAW")], [c.lot("B")]), c.transform(1 - 1 / 60, [c.lot("B")], [c.item(1)])]
    assert c.item(1) in things(traced(engine, events, c.lot("RAW"), "downstream"))
    clear(engine)
    assert c.lot("RAW") in things(traced(engine, events, c.item(1), "upstream"))


def test_a_transformation_id_ties_events_of_one_organisation_only(engine: Engine) -> None:
    chain = ChainBuilder()
    tied = {"transformationID": "urn:x:1"}
    chain.capture(c.transform(0, [c.lot("RAW")], [], **tied))
    chain.capture(c.transform(3, [], [c.item(1)], **tied))
    chain.add(c.captured([c.transform(1, [c.lot("FORGED")], [], **tied)], msp="OtherMSP"))
    Projector(engine).apply(chain.blocks)
    with engine.connect() as connection:
        found = trace(connection, c.item(1), direction="upstream")
    assert found is not None
    assert things(found) == {c.item(1), c.lot("RAW")}


def test_a_lot_is_its_instances_but_an_instance_is_not_its_lot(engine: Engine) -> None:
    members = [c.state(c.item(n), lot=c.lot("A")) for n in (1, 2)]
    events = [
        c.transform(0, [c.lot("RAW")], [c.lot("A")]),
        c.object_event(1, "ADD", "commissioning", epcList=[c.item(1), c.item(2)]),
        c.object_event(2, step="shipping", quantityList=[{"epcClass": c.lot("A"), "quantity": 1}]),
        c.transform(5, [c.item(1)], [c.lot("SOUP")]),
        c.transform(6, [c.item(2)], [c.lot("STEW")]),
    ]
    down = traced_with(engine, events, members, c.lot("RAW"), "downstream")
    assert {c.item(1), c.item(2), c.lot("SOUP"), c.lot("STEW")} <= things(down)
    clear(engine)
    found = traced_with(engine, events, members, c.lot("SOUP"), "upstream")
    assert roles(found) == {
        c.lot("SOUP"): "start",
        c.item(1): "material",
        c.lot("A"): "lot",
        c.lot("RAW"): "material",
    }
    assert ("shipping", 2) not in steps(found)


def test_a_lot_comes_from_what_its_instances_came_from(engine: Engine) -> None:
    events = [c.transform(0, [c.lot("RAW")], [c.item(1)])]
    found = traced_with(engine, events, [c.state(c.item(1), lot=c.lot("A"))], c.lot("A"), "upstream")
    assert c.lot("RAW") in things(found)


def test_loops_end(engine: Engine) -> None:
    events = [
        c.pack(1, c.sscc(1), [c.sscc(2)]),
        c.pack(1, c.sscc(2), [c.sscc(1)]),
        c.transform(2, [c.lot("A")], [c.lot("B")]),
        c.transform(3, [c.lot("B")], [c.lot("A")]),
    ]
    assert things(traced(engine, events, c.sscc(1), "both")) == {c.sscc(1), c.sscc(2)}
    clear(engine)
    assert things(traced(engine, events, c.lot("A"), "both")) == {c.lot("A"), c.lot("B")}


def test_limits_are_kept_and_told(engine: Engine) -> None:
    events = [c.transform(0, [c.lot("RAW")], [c.item(n) for n in range(50)])]
    cut = traced(engine, events, c.lot("RAW"), "downstream", max_nodes=10)
    assert (len(cut.nodes), cut.truncated) == (10, True)
    clear(engine)
    few = [c.object_event(n, epcList=[c.item(1)]) for n in range(5)]
    cut = traced(engine, few, c.item(1), "downstream", max_events=3)
    assert (len(cut.events), cut.truncated) == (3, True)
    clear(engine)
    whole = traced(engine, few, c.item(1), "downstream")
    assert (len(whole.events), whole.truncated) == (5, False)


# --- against a slow model that knows no tables, levels or batches

PARTS = st.lists(
    st.tuples(
        st.sampled_from(["pack", "pack", "unpack", "make"]),
        st.integers(1, 3),
        st.sets(st.integers(1, 4), min_size=1, max_size=2),
        st.sets(st.integers(5, 7), min_size=1, max_size=2),
    ),
    max_size=9,
)
_NEVER, _ALWAYS = -1.0, 1_000.0


class Model:
    """What follows downstream from a thing, by trying everything."""

    def __init__(self, parts: list[tuple[str, int, set[int], set[int]]]) -> None:
        facts: dict[int, list[Fact]] = {}
        self.makings: list[tuple[int, set[int], set[int]]] = []
        for time, (what, pallet, items, made) in enumerate(parts):
            if what == "make":
                self.makings.append((time, items, made))
            for item in items:
                parent = 0 if what == "make" else 100 + pallet
                action = "ADD" if what == "pack" else "DELETE"
                facts.setdefault(item, []).append(Fact(item, parent, time, time, 0, "aggregation", action))
        self.stays = [
            (item, one.parent, _NEVER if one.start is None else one.start, _ALWAYS if one.end is None else one.end)
            for item, said in facts.items()
            for one in of_instance(said)
        ]

    def reached(self, start: int) -> set[int]:
        found: set[int] = set()
        tried: set[tuple[int, float]] = set()

        def follow(thing: int, since: float) -> None:
            found.add(thing)
            if (thing, since) in tried:
                return
            tried.add((thing, since))
            for child, parent, begin, end in self.stays:
                if child == thing and (begin >= since if begin != _NEVER else end > since):
                    found.add(parent)
                if parent == thing and end >= since:
                    follow(child, max(since, begin))
            for time, inputs, outputs in self.makings:
                if thing in inputs and time >= since:
                    for output in outputs:
                        follow(output, time - 300 / 3600)

        follow(start, _NEVER)
        return found


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PARTS)
def test_downstream_is_what_the_slow_model_reaches(
    sqlite_engine: Engine, parts: list[tuple[str, int, set[int], set[int]]]
) -> None:
    clear(sqlite_engine)
    chain = ChainBuilder()
    for time, (what, pallet, items, made) in enumerate(parts):
        names = [c.item(n) for n in sorted(items)]
        if what == "make":
            chain.capture(c.transform(time, names, [c.item(n) for n in sorted(made)]))
        else:
            chain.capture(c.pack(time, c.sscc(pallet), names, "ADD" if what == "pack" else "DELETE"))
    Projector(sqlite_engine).apply(chain.blocks)
    model = Model(parts)
    names_of = {**{n: c.item(n) for n in range(1, 8)}, **{100 + n: c.sscc(n) for n in range(1, 4)}}
    with sqlite_engine.connect() as connection:
        for number, name in names_of.items():
            found = trace(connection, name, direction="downstream")
            if found is not None:
                assert things(found) == {names_of[n] for n in model.reached(number)}


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_direction_is_said_of_each_node(engine: Engine, direction: Direction) -> None:
    events = [c.transform(0, [c.lot("A")], [c.lot("B")]), c.transform(1, [c.lot("B")], [c.lot("C")])]
    found = traced(engine, events, c.lot("B"), direction)
    assert things(found) == {c.lot("B"), c.lot("A") if direction == "upstream" else c.lot("C")}
    assert all(getattr(node, direction) for node in found.nodes)
