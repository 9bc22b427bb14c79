"""How a ledger says no. A closed family: whoever calls the port needs to know no other."""

from __future__ import annotations

FAILED_ITSELF = 500
"""From this status on the contract did not judge the call but failed on it."""


class LedgerError(Exception):
    """Base. ``retryable``: trying again can help. ``outcome_unknown``: the transaction may have been applied.
    ``disputed``: the fault may lie in this very call or in those who looked at it; nobody whose word settles it has spoken.
    """

    retryable = False
    outcome_unknown = False
    disputed = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RejectedByContract(LedgerError):  # noqa: N818  the port's words, not Python's
    """The contract answered with a status of 400 or more (500: it failed itself); nothing was written."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the contract answered {status}: {message}")
        self.status = status
        self.message = message
        self.disputed = status >= FAILED_ITSELF


class TooLarge(LedgerError):  # noqa: N818
    """The network does not carry a transaction of this size; nothing was applied. Less in one transaction may pass."""

    status = 413

    def __init__(self, detail: str, *, disputed: bool = False) -> None:
        super().__init__(detail)
        self.disputed = disputed


class Conflict(LedgerError):  # noqa: N818
    """This transaction is in a block, void for ever: a new one may succeed. Another one changed what it had read, or
    (``disputed``) the peers found it invalid for a reason of their own."""

    retryable = True

    def __init__(self, detail: str, *, disputed: bool = False) -> None:
        super().__init__(detail)
        self.disputed = disputed


class Unavailable(LedgerError):  # noqa: N818
    """The ledger cannot be reached or is busy, or its peers do not agree yet; nothing was applied by this call. ``disputed``: they
    answered, each something else."""

    retryable = True

    def __init__(self, detail: str, *, disputed: bool = False) -> None:
        super().__init__(detail)
        self.disputed = disputed


class TimedOut(LedgerError):  # noqa: N818
    """The transaction was sent and its fate is not known: submit it again with the same nonce."""

    retryable = True
    outcome_unknown = True


class InvalidIdentity(LedgerError):  # noqa: N818
    """The certificate is unknown, expired, revoked, or lacks what the channel asks for: not before somebody mends that, or
    the clock, can this identity write."""
