"""Why an event is not taken, and whom that concerns."""

from __future__ import annotations

from collections.abc import Iterable


class Rejection(Exception):  # noqa: N818  a verdict, not a fault of the program
    """An event is refused: ``code`` for programs, ``detail`` for people, ``field`` where it would be mended.

    ``item`` is what it was about; ``parties`` whom the attempt concerns beside who made it (a thing's maker, its holder,
    whose place it is), ``organisations`` those of them of which no party is known. None among them is left out.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        field: str | None = None,
        *,
        item: str | None = None,
        parties: Iterable[str | None] = (),
        organisations: Iterable[str | None] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.item = item
        self.parties = _named(parties)
        self.organisations = _named(organisations)


def _named(given: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({one for one in given if one is not None}))


class Malformed(Exception):  # noqa: N818
    """A whole call is refused: its arguments are not what the function takes."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
