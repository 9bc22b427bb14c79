"""What can be wrong with a file as a whole. What is wrong with single rows is told row by row."""

from __future__ import annotations


class SourceError(Exception):
    """The file cannot be used; ``hint`` says what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class WrongFileError(SourceError):
    """It is another file than what was asked for."""
