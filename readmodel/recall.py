"""What an event says of a recall. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RECALLED = "recalled"
"""CBV's word, as a disposition or a persistent one."""


def says_recalled(event: Mapping[str, Any]) -> bool | None:
    """Whether the event says of the things it names that they are recalled; None: nothing of the kind.

    A plain disposition says so too, and the next one does not take it back: goods that are sent back are as
    recalled as before. Only ``persistentDisposition`` has a word for the end (``unset``).

    says_recalled({"type": "ObjectEvent", "disposition": "recalled"})
    True
    """
    persistent = event.get("persistentDisposition") or {}
    if event.get("disposition") == RECALLED or RECALLED in (persistent.get("set") or ()):
        return True
    return False if RECALLED in (persistent.get("unset") or ()) else None
