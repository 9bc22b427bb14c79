"""What a caller may do after each error."""

from __future__ import annotations

import pytest

import ledger.errors
from ledger.errors import Conflict, InvalidIdentity, LedgerError, RejectedByContract, TimedOut, TooLarge, Unavailable


@pytest.mark.parametrize(
    ("error", "retryable", "outcome_unknown"),
    [
        (RejectedByContract(409, "taken"), False, False),
        (InvalidIdentity("expired"), False, False),
        (TooLarge("at most 98 MB"), False, False),
        (Conflict("stale"), True, False),
        (Unavailable("down"), True, False),
        (TimedOut("no answer"), True, True),
    ],
)
def test_whether_trying_again_can_help(error: LedgerError, retryable: bool, outcome_unknown: bool) -> None:
    assert (error.retryable, error.outcome_unknown) == (retryable, outcome_unknown)


def test_the_family_is_closed() -> None:
    """A new member needs a line in docs/ledger.md and a thought in every caller."""
    family = {name for name, kind in vars(ledger.errors).items() if isinstance(kind, type) and kind is not LedgerError}
    assert family == {"RejectedByContract", "InvalidIdentity", "TooLarge", "Conflict", "Unavailable", "TimedOut"}


def test_a_refusal_tells_status_and_reason() -> None:
    error = RejectedByContract(403, "not your place")
    assert (error.status, error.message, str(error)) == (
        403,
        "not your place",
        "the contract answered 403: not your place",
    )
