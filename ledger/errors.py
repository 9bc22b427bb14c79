"""How a ledger says no. A closed family: whoever calls the port needs to know no other."""

from __future__ import annotations


class LedgerError(Exception):
    """Base. ``retryable``: trying again can help. ``outcome_unknown``: the transaction may have been applied."""

    retryable = False
    outcome_unknown = False

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RejectedByContract(LedgerError):  # noqa: N818  the port's words, not Python's
    """The contract answered with a status of 400 or more (500: it failed itself); nothing was written."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the contract answered {status}: {message}")
        self.status = status
        self.message = message


class TooLarge(LedgerError):  # noqa: N818
    """The network does not carry a transaction of this size; nothing was applied. Less in one transaction may pass."""

    status = 413


class Conflict(LedgerError):  # noqa: N818
    """Another transaction changed what this one had read. This one is in a block, void for ever: a new one may succeed."""

    retryable = True


class Unavailable(LedgerError):  # noqa: N818
    """The ledger cannot be reached or is busy, or its peers do not agree yet; nothing was applied by this call."""

    retryable = True


class TimedOut(LedgerError):  # noqa: N818
    """The transaction was sent and its fate is not known: submit it again with the same nonce."""

    retryable = True
    outcome_unknown = True


class InvalidIdentity(LedgerError):  # noqa: N818
    """The certificate is unknown, expired, revoked, or lacks what the channel asks for."""
