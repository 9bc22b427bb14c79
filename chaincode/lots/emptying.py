"""When a parent was unpacked whole: known from its own history."""

from __future__ import annotations

from chaincode.context import Context
from chaincode.lots.loose import Emptied


def first_emptied_after(context: Context, parent: str, time: str) -> Emptied | None:
    """The first unpacking of everything in a parent at or after a time. None: nobody has told of one."""
    return None
