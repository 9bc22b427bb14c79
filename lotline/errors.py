"""What can go wrong on the command line, and the exit code that says so."""

from __future__ import annotations

OK = 0
NEGATIVE = 1
USAGE = 2
UNAVAILABLE = 3
BUG = 70
INTERRUPTED = 130


class CommandError(Exception):
    """A failure told to a person: what was wrong (``message``) and what to do next (``hint``).

    ``code`` becomes the exit code: `NEGATIVE` (rejected, not found), `USAGE` (the call itself is wrong)
    or `UNAVAILABLE` (the instance, its ledger or its server can't be reached now).
    """

    def __init__(self, message: str, *, hint: str = "", code: int = NEGATIVE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


class UsageError(CommandError):
    """The call can never work as written."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=USAGE)


class UnavailableError(CommandError):
    """The call is right but something it needs is not there now."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=UNAVAILABLE)
