"""What is wrong with a document, told so that its sender can mend it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault.

    ``index`` is the event's place in the document (None: the fault is in the document itself); ``field`` is a
    JSON pointer from the top of what was parsed, such as ``/epcisBody/eventList/3/bizStep``. A ``warning`` is
    no reason to refuse an event.
    """

    index: int | None
    field: str
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class InvalidDocument(ValueError):  # noqa: N818 (it says what the document is)
    """The input is not a valid EPCIS document or event. ``problems`` holds every fault found, at most 100."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems[:MAX_PROBLEMS]
        first = self.problems[0]
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"{first.field or '/'}: {first.message}{more}")


def pointer(*parts: str | int) -> str:
    """The JSON pointer (RFC 6901) made of ``parts``: ``pointer("a", 0) == "/a/0"``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
