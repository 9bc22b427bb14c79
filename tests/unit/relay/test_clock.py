"""Whether the wall clock can be believed."""

from __future__ import annotations

from relay.pulse import Clock


def clock() -> Clock:
    return Clock(offset=1000.0)


def test_a_clock_that_goes_is_believed() -> None:
    made = clock()
    assert [made.words(1000.0 + passed, passed) for passed in (1.0, 60.0, 3600.0)] == ["", "", ""]


def test_a_clock_that_was_set_is_told_for_a_while() -> None:
    made = clock()
    assert "set by -63072000 s" in made.words(1000.0 - 63072000 + 1, 1.0)
    assert made.words(1000.0 - 63072000 + 300, 300.0)
    assert made.words(1000.0 - 63072000 + 700, 700.0) == ""


def test_a_ledger_that_is_ahead_is_told_as_long_as_it_is() -> None:
    made = clock()
    made.newest = 1000.0 + 400
    assert "400 s ahead" in made.words(1000.0, 0.0)
    assert made.words(1150.0, 150.0) == ""


def test_a_time_that_no_calendar_has_is_told_too() -> None:
    made = clock()
    made.newest = 1e18
    assert "ahead" in made.words(1000.0, 0.0)
