"""The client's side of the ledger: one port, its adapters, and the decoding of blocks."""

from fabric.words.identity import Identity
from ledger.errors import (
    Conflict,
    InvalidIdentity,
    LedgerError,
    RejectedByContract,
    TimedOut,
    TooLarge,
    Unavailable,
)
from ledger.port import Committed, Ledger

__all__ = [
    "Committed",
    "Conflict",
    "Identity",
    "InvalidIdentity",
    "Ledger",
    "LedgerError",
    "RejectedByContract",
    "TimedOut",
    "TooLarge",
    "Unavailable",
]
