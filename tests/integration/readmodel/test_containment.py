"""Containment against a slow, obvious model: all statements in their order, one after another, everything remembered."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from chaincode.history import short_name
from fabric.words.blocks import DecodedBlock, Write
from readmodel import Projector, containment, digest
from readmodel.projector import clear
from tests.effort import examples
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder

Stay = tuple[str, str, float | None, float | None]
"""Child, parent, from and to, in hours."""

NAMES = [c.sscc(n) for n in range(1, 4)] + [c.item(n) for n in range(1, 5)]
_RANKS = {"unpack": 1, "empty": 1, "pack": 2, "shipping": 3, "receiving": 4, "accepting": 5, "see": 7, "use": 8}


class Said(NamedTuple):
    """One event: at what hour, what, of which parent and which things."""

    hours: int
    what: str
    parent: str
    things: tuple[str, ...]

    def event(self) -> dict[str, Any]:
        if self.what in ("shipping", "receiving", "accepting"):
            return c.object_event(self.hours, step=self.what, epcList=list(self.things))
        if self.what == "use":
            return c.object_event(self.hours, "DELETE", "destroying", epcList=list(self.things))
        action = {"pack": "ADD", "see": "OBSERVE"}.get(self.what, "DELETE")
        return c.pack(self.hours, self.parent, [] if self.what == "empty" else self.things, action)


@st.composite
def said(draw: st.DrawFn) -> Said:
    hours = draw(st.integers(0, 8))
    what = draw(
        st.sampled_from(["pack", "pack", "pack", "unpack", "empty", "see", "use", "shipping", "receiving", "shipping"])
    )
    things = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    parent = draw(st.sampled_from(NAMES[:4]))
    others = tuple(one for one in things if one != parent) or (NAMES[6],)
    return Said(hours, what, parent, others if what in ("pack", "unpack", "see") else tuple(things))


class Replay:
    """Where everything was, by taking one statement after another."""

    def __init__(self, statements: list[Said]) -> None:
        self.now: dict[str, tuple[str, float]] = {}
        self.stays: list[Stay] = []
        self._free: dict[str, float] = {}
        self._missed: dict[str, tuple[str, float, Stay | None]] = {}
        for one in sorted(statements, key=_place):
            self._take(one, float(one.hours))
        self.stays += [(child, parent, start, None) for child, (parent, start) in self.now.items()]
        self.stays.sort(key=repr)

    def _take(self, one: Said, hours: float) -> None:
        if one.what in ("pack", "see"):
            for child in one.things:
                self._enter(child, one.parent, hours)
        elif one.what == "unpack":
            for child in one.things:
                self._unpack(child, one.parent, hours)
        elif one.what == "empty":
            self._leave([child for child, (parent, _) in self.now.items() if parent == one.parent], hours)
        elif one.what == "use":
            self._leave([child for child in one.things if child in self.now], hours)
        else:
            alone = [child for child in one.things if child in self.now and not self._goes_with(child, one.things)]
            self._leave(alone, hours)

    def _enter(self, child: str, parent: str, hours: float) -> None:
        if child in self.now and self.now[child][0] == parent:
            return
        missed = self._missed.get(child)
        if child not in self.now and missed is not None and missed[:2] == (parent, hours):
            del self._missed[child]
            if missed[2] is not None:
                self.stays.remove(missed[2])
            self.stays.append((child, parent, hours, hours))
            return
        self._leave([child] if child in self.now else [], hours)
        self.now[child] = (parent, hours)

    def _unpack(self, child: str, parent: str, hours: float) -> None:
        if child in self.now:
            self._leave([child] if self.now[child][0] == parent else [], hours)
            return
        before = (child, parent, self._free.get(child), hours) if self._free.get(child) != hours else None
        self.stays += [] if before is None else [before]
        self._missed[child] = (parent, hours, before)
        self._free[child] = hours

    def _leave(self, children: list[str], hours: float) -> None:
        for child in children:
            parent, start = self.now.pop(child)
            self.stays.append((child, parent, start, hours))
            self._free[child] = hours

    def _goes_with(self, child: str, named: tuple[str, ...]) -> bool:
        seen: set[str] = set()
        above = self.now[child][0]
        while above not in seen:
            if above in named:
                return True
            seen.add(above)
            above = self.now[above][0] if above in self.now else above
        return False


def _place(one: Said) -> tuple[int, int, str]:
    return one.hours, _RANKS[one.what], short_name(c.hash_of(one.event())[14:78])


def projected(engine: Engine) -> list[Stay]:
    sql = (
        "SELECT k.uri, p.uri, c.from_time, c.to_time FROM containment c "
        "JOIN thing k ON k.id = c.child_id JOIN thing p ON p.id = c.parent_id WHERE c.kind = 'aggregation'"
    )
    start = c.moment(0).timestamp()

    def hours(micros: int | None) -> float | None:
        return None if micros is None else (micros / 1e6 - start) / 3600

    with engine.connect() as connection:
        return sorted(
            ((row[0], row[1], hours(row[2]), hours(row[3])) for row in connection.execute(text(sql))), key=repr
        )


def declared(one: Said, by: str | None) -> Write:
    """What was said about an event: that it was in error, or that it was not after all."""
    value = {"v": 2, "declarations": [] if by is None else [by], "reporters": [], "ids": []}
    return c.write("EA", c.hash_of(one.event())[14:78], value=value)


def in_batches(engine: Engine, blocks: list[DecodedBlock], random: Random) -> None:
    """Project into an emptied model, so many blocks at a time as chance will have it, now and then by a new process."""
    clear(engine)
    projector, at = Projector(engine), 0
    while at < len(blocks):
        size = random.choice([1, 1, 2, 3, 5, len(blocks)])
        projector.apply(blocks[at : at + size])
        at += size
        if random.random() < 0.2:
            projector = Projector(engine)


@pytest.fixture
def engine_for(fresh: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A model that looks ahead as little as possible: how far is only a question of speed."""
    monkeypatch.setattr(containment, "_FIRST_WINDOW", 0)
    return fresh()


def check(engine: Engine, statements: list[Said], declarations: list[tuple[int, bool]], random: Random) -> None:
    """Told in any order and projected in any batches, some of it declared wrong, statements give what a replay gives."""
    story: list[tuple[Said, str | None] | Said] = [*statements]
    random.shuffle(story)
    out: set[Said] = set()
    for number, in_error in declarations:
        if number < len(statements):
            one = statements[number]
            story.insert(random.randint(0, len(story)), (one, "ab" * 32))
            story.append((one, "ab" * 32 if in_error else None))  # or the declaration was in error itself
            (out.add if in_error else out.discard)(one)
    chain = ChainBuilder()
    for entry in story:
        if isinstance(entry, Said):
            chain.capture(entry.event())
        else:
            chain.add([declared(*entry)])
    expected = Replay([one for one in statements if one not in out]).stays
    in_batches(engine, chain.blocks, random)
    assert projected(engine) == expected
    once = digest(engine)
    clear(engine)
    Projector(engine).apply(chain.blocks)
    assert digest(engine) == once


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(said(), min_size=1, max_size=14, unique=True),
    st.lists(st.tuples(st.integers(0, 13), st.booleans()), max_size=4),
    st.randoms(use_true_random=False),
)
def test_every_order_and_batching_gives_what_a_replay_gives(
    engine_for: Engine, statements: list[Said], declarations: list[tuple[int, bool]], random: Random
) -> None:
    check(engine_for, statements, declarations, random)


def any_said(random: Random) -> Said:
    what = random.choice(
        ["pack", "pack", "pack", "unpack", "empty", "see", "use", "shipping", "receiving", "accepting"]
    )
    parent, things = random.choice(NAMES[:4]), random.sample(NAMES, random.randint(1, 3))
    others = [one for one in things if one != parent] or [NAMES[6]]
    return Said(random.randint(0, 8), what, parent, tuple(others if what in ("pack", "unpack", "see") else things))


@pytest.mark.parametrize("seed", range(4))
def test_long_stories_too(engine_for: Engine, seed: int) -> None:
    """Chance makes fuller stories than whoever looks for the smallest that fails."""
    random = Random(seed)
    for number in range(60):
        statements = list(dict.fromkeys(any_said(random) for _ in range(random.choice([8, 12, 20]))))
        declarations = [(random.randrange(20), random.random() < 0.6) for _ in range(random.randrange(4))]
        try:
            check(engine_for, statements, declarations, random)
        except AssertionError as error:
            error.add_note(f"story {number}: {statements}")
            raise


def rows_read(engine: Engine, work: Callable[[], object]) -> int:
    """How many steps SQLite's machine takes for some work, in thousands."""
    steps = 0

    def progress() -> int:
        nonlocal steps
        steps += 1
        return 0

    def listen(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(progress, 1_000)

    event.listen(engine, "checkout", listen)
    try:
        work()
    finally:
        event.remove(engine, "checkout", listen)
    return steps


def test_a_crate_that_was_packed_thousands_of_times_costs_no_more_than_a_new_one(fresh: Callable[[], Engine]) -> None:
    """A crate goes in and out of pallets, a pallet is loaded and emptied, for years: the next event is as quick as the first."""
    chain = ChainBuilder()
    for n in range(40):
        events = []
        for k in range(50):
            hours = n * 50.0 + k
            events += [c.pack(hours, c.sscc(1), [c.item(1)]), c.pack(hours + 0.5, c.sscc(1), [], "DELETE")]
            events += [
                c.pack(hours + 0.6, c.sscc(2), [c.item(1)]),
                c.pack(hours + 0.7, c.sscc(2), [c.item(1)], "DELETE"),
            ]
        chain.capture(*events)
    engine = fresh()
    projector = Projector(engine)
    projector.apply(chain.blocks[:2])
    early = chain.blocks[2]
    first = rows_read(engine, lambda: projector.apply(early))
    projector.apply(chain.blocks[3:-1])
    last = rows_read(engine, lambda: projector.apply(chain.blocks[-1]))
    assert last <= 2 * first
    # One that comes years late overturns one stay, and costs that.
    late = chain.capture(c.pack(25.2, c.sscc(3), [c.item(1)]), c.pack(25.3, c.sscc(3), [c.item(1)], "DELETE"))
    assert rows_read(engine, lambda: projector.apply(late)) <= first


def test_things_in_a_circle_are_decided_to_the_last(engine: Engine) -> None:
    """Each in the other, as two observers have it, and received and shipped meanwhile: what is told last decides both times."""
    pallet, crate = c.sscc(1), c.item(1)
    story = [
        Said(6, "shipping", crate, (crate,)),
        Said(4, "receiving", pallet, (pallet, crate)),
        Said(0, "pack", pallet, (crate,)),
        Said(4, "see", crate, (pallet,)),
    ]
    chain = ChainBuilder()
    for one in story:
        chain.capture(one.event())
        Projector(engine).apply(chain.blocks[-1])
    assert projected(engine) == Replay(story).stays


def test_a_crate_is_where_it_was_though_its_truck_is_told_of_late(engine: Engine) -> None:
    """Shipped with the pallet's truck, the crate did not leave the pallet; that the truck carried the pallet is told last."""
    chain = ChainBuilder()
    chain.capture(c.pack(1, c.sscc(1), [c.item(1)]))
    chain.capture(c.object_event(5, step="shipping", epcList=[c.sscc(2), c.item(1)]))
    Projector(engine).apply(chain.blocks)
    assert (c.item(1), c.sscc(1), 1.0, 5.0) in projected(engine)
    chain.capture(c.pack(2, c.sscc(2), [c.sscc(1)]))
    Projector(engine).apply(chain.blocks[-1])
    assert (c.item(1), c.sscc(1), 1.0, None) in projected(engine)
    chain.add([declared(Said(2, "pack", c.sscc(2), (c.sscc(1),)), "cd" * 32)])
    Projector(engine).apply(chain.blocks[-1])
    assert projected(engine) == [(c.item(1), c.sscc(1), 1.0, 5.0)]
