"""Newest first is by the date of what happened, whenever the ledger heard of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from fabric.words.blocks import Write
from readmodel import Projector
from readmodel.projector import clear
from readmodel.queries import HandoffFilter, InvalidTokenError, Page, exceptions, handoffs
from tests.effort import examples
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder

Pages = Callable[[str | None], Page[Any]]


def opened(key: str, hours: float | None, status: str = "open") -> Write:
    when = None if hours is None else c.at(hours)
    value = {"id": key, "kind": "shortage", "status": status, "item": c.lot("A"), "openedAt": when}
    return c.write("EX", key, value=value)


def hop(key: str, released: float | None, accepted: float | None = None) -> Write:
    fields: dict[str, Any] = {
        name: None if when is None else c.at(when)
        for name, when in (("releasedAt", released), ("acceptedAt", accepted))
    }
    return c.handoff(key, c.sscc(1), **fields)


def told(engine: Engine, *writes: Write) -> None:
    chain = ChainBuilder()
    for write in writes:
        chain.add([write])
    Projector(engine).apply(chain.blocks)


def walked(pages: Pages) -> list[str]:
    seen: list[str] = []
    token: str | None = None
    while True:
        page = pages(token)
        seen.extend(one.id for one in page.items)
        token = page.next
        if token is None:
            return seen


def test_exceptions_told_late_stand_where_their_date_is(engine: Engine) -> None:
    told(engine, opened("b", 5), opened("c", 9), opened("a", 1, "closed"), opened("d", 9), opened("undated", None))
    with engine.connect() as connection:
        expected = ["d", "c", "b", "a", "undated"]
        assert [one.id for one in exceptions(connection).items] == expected
        assert walked(lambda token: exceptions(connection, per_page=2, token=token)) == expected
        assert [one.id for one in exceptions(connection, status="open").items] == ["d", "c", "b", "undated"]


def test_a_handoff_nobody_released_is_dated_by_its_acceptance(engine: Engine) -> None:
    told(engine, hop("late", 2), hop("seen", None, 5), hop("new", 8, 9), hop("old", 1, 20), hop("undated", None))
    with engine.connect() as connection:
        expected = ["new", "seen", "late", "old", "undated"]
        assert [one.id for one in handoffs(connection, HandoffFilter()).items] == expected
        for size in (1, 2, 3):
            assert walked(_handoff_pages(connection, size)) == expected


def test_a_page_does_not_move_when_older_news_comes_in_between(engine: Engine) -> None:
    chain, projector = ChainBuilder(), Projector(engine)
    projector.apply(chain.add([hop("a", 1), hop("b", 2), hop("c", 3)]))
    with engine.connect() as connection:
        first = handoffs(connection, HandoffFilter(), per_page=2)
    projector.apply(chain.add([hop("newer", 9), hop("between", 2.5)]))
    with engine.connect() as connection:
        rest = handoffs(connection, HandoffFilter(), per_page=2, token=first.next)
    assert [one.id for one in first.items] == ["c", "b"]
    assert [one.id for one in rest.items] == ["a"]


@pytest.mark.parametrize("token", ["W10", "WzFd", "nonsense", "WzEsIngiXQ"])
def test_a_strange_token_is_refused(engine: Engine, token: str) -> None:
    with engine.connect() as connection, pytest.raises(InvalidTokenError):
        exceptions(connection, token=token)


DATES = st.lists(st.tuples(st.none() | st.integers(0, 4), st.none() | st.integers(0, 4)), max_size=8)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DATES, st.integers(1, 4))
def test_every_page_size_walks_the_same_order(
    sqlite_engine: Engine, dates: list[tuple[int | None, int | None]], size: int
) -> None:
    clear(sqlite_engine)
    told(sqlite_engine, *(hop(str(n), *pair) for n, pair in enumerate(dates)))

    def rank(n: int) -> tuple[int, int]:
        released, accepted = dates[n]
        moment = released if released is not None else accepted
        return (-1 if moment is None else moment, n)

    expected = [str(n) for n in sorted(range(len(dates)), key=rank, reverse=True)]
    with sqlite_engine.connect() as connection:
        assert walked(_handoff_pages(connection, size)) == expected


def _handoff_pages(connection: Connection, size: int) -> Pages:
    return lambda token: handoffs(connection, HandoffFilter(), per_page=size, token=token)
