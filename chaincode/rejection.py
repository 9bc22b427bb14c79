"""Why an event is not taken."""

from __future__ import annotations


class Rejection(Exception):  # noqa: N818  a verdict, not a fault of the program
    """An event is refused: ``code`` for programs, ``detail`` for people, ``field`` where it would be mended."""

    def __init__(self, code: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


class Malformed(Exception):  # noqa: N818
    """A whole call is refused: its arguments are not what the function takes."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
