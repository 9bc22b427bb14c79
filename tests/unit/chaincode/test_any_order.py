"""State is a function of the set of statements: any order of arrival, any repetition, declarations before and after their events."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import HealthCheck, assume, given, settings

from chaincode import history
from tests.effort import examples
from tests.unit.chaincode.telling import Said, outcome, stories, told

MANY = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
FEW = settings(MANY, max_examples=examples(12))


def check(story: list[Said], shuffled: list[Said], policy: str = "flag") -> None:
    one, other = told(story, policy), told(shuffled, policy)
    assume(one is not None)
    assume(other is not None)
    assert one is not None
    assert other is not None
    assert outcome(other) == outcome(one)


@MANY
@given(story=stories(), data=st.data())
def test_every_order_gives_the_same(story: list[Said], data: st.DataObject) -> None:
    check(story, data.draw(st.permutations(story)))


@MANY
@given(story=stories(declarations=True), data=st.data())
def test_declarations_count_whenever_they_come(story: list[Said], data: st.DataObject) -> None:
    check(story, data.draw(st.permutations(story)))


@FEW
@given(story=stories(24, declarations=True), data=st.data())
def test_long_stories_in_pages(story: list[Said], data: st.DataObject) -> None:
    """With pages so small that most of a story lies in them."""
    shuffled_story = data.draw(st.permutations(story))
    most, page = history.MOST, history.PAGE
    history.MOST, history.PAGE = 3, 2
    try:
        small = told(story)
        shuffled = told(shuffled_story)
    finally:
        history.MOST, history.PAGE = most, page
    whole = told(story)
    assume(small is not None)
    assert small is not None
    assert whole is not None
    assert outcome(small) == outcome(whole)
    if shuffled is not None:
        assert outcome(shuffled) == outcome(whole)


@FEW
@given(story=stories(declarations=True), data=st.data())
def test_what_was_declared_wrong_never_was(story: list[Said], data: st.DataObject) -> None:
    """As if neither the event nor the declaration had been said, but for the record that they were."""
    wrong = [
        {name: value for name, value in said.items() if name != "errorDeclaration"}
        for _, said in story
        if "errorDeclaration" in said
    ]
    left = [(who, said) for who, said in story if said not in wrong and "errorDeclaration" not in said]
    assume(left)
    shuffled = data.draw(st.permutations(story))
    one, other = told(shuffled), told(left)
    assume(one is not None)
    assume(other is not None)
    assert one is not None
    assert other is not None
    assert {**outcome(one), "declared": []} == outcome(other)
