"""Sessions end, and tell nothing."""

from __future__ import annotations

from ui.sessions import Sessions


def test_a_session_ends_by_time_and_by_signing_out() -> None:
    now = [1000.0]
    sessions = Sessions(60.0, clock=lambda: now[0])
    name, other = sessions.open("lot_a", own=True), sessions.open("lot_b", own=False)
    found = sessions.find(name)
    assert found is not None
    assert (found.token, found.own) == ("lot_a", True)
    assert name not in repr(sessions.__dict__)
    sessions.close(name)
    assert sessions.find(name) is None
    assert sessions.find(other) is not None
    now[0] += 61
    assert sessions.find(other) is None
    for nobody in (None, "", "x", "\ud800"):
        assert sessions.find(nobody) is None
        sessions.close(nobody)
    sessions.open("lot_c", own=True)
    assert len(sessions._open) == 1


def test_what_is_kept_of_answers_is_by_token() -> None:
    sessions = Sessions()
    first, again, other = (sessions.find(sessions.open(token, own=True)) for token in ("a", "a", "b"))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.who == again.who != other.who
    assert first.who != "a"
