"""The world state under a transaction's own writes: against a model that copies everything."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chaincode.endorsement import all_of
from chaincode.keys import inside
from chaincode.state import State
from tests.unit.chaincode.peer import NOW, Call

KEYS = ["a", "b", "c"]
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "file"]), st.sampled_from(KEYS), st.integers(0, 9))
    | st.tuples(st.just("delete"), st.sampled_from(KEYS), st.just(0))
    | st.tuples(st.sampled_from(["begin", "keep", "drop"]), st.just(""), st.just(0)),
    max_size=40,
)


@given(STEPS, st.dictionaries(st.sampled_from(KEYS), st.integers(10, 19)))
def test_what_is_dropped_was_never_there(steps: list[tuple[str, str, int]], committed: dict[str, int]) -> None:
    call = Call({key: b'{"n":%d}' % value for key, value in committed.items()}, "f", None, b"", NOW)
    state = State(call)
    now: dict[str, Any] = dict(committed)
    around: list[dict[str, Any]] = []
    for what, key, value in steps:
        if what in ("put", "file"):
            (state.put if what == "put" else state.file)(key, {"n": value})
            now[key] = value
        elif what == "delete":
            state.delete(key)
            now.pop(key, None)
        elif what == "begin":
            state.begin()
            around.append(dict(now))
        elif around:
            before = around.pop()
            if what == "keep":
                state.keep()
            else:
                state.drop()
                now = before
        assert {key: record["n"] for key in KEYS if (record := state.get(key)) is not None} == now
    for _ in around:
        state.keep()
    state.flush()
    after = {**committed}
    for key, raw in call.writes.items():
        after.pop(key, None)
        if raw is not None:
            after[key] = int(raw[5:-1])
    assert after == now


def test_a_filed_record_that_names_endorsers_gets_their_policy() -> None:
    call = Call({}, "f", None, b"", NOW)
    state = State(call)
    state.file("a", {"endorsers": ["AMSP"]})
    state.flush()
    assert call.policies == {"a": all_of(["AMSP"])}


def test_what_lies_under_a_key_is_the_same_filed_or_put() -> None:
    state = State(Call({}, "f", None, b"", NOW))
    state.file(inside("box", "one"), {"n": 1})
    state.put(inside("box", "two"), {"n": 2})
    assert list(state.under("IN", "box")) == [(["box", "one"], {"n": 1}), (["box", "two"], {"n": 2})]
