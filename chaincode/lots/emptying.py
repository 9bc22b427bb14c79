"""When a parent was unpacked whole: known from its own history."""

from __future__ import annotations

from chaincode.context import Context
from chaincode.goods import entries as e
from chaincode.goods.sweeps import first_emptied_after as first_entry
from chaincode.goods.timeline import Timeline
from chaincode.lots.loose import Emptied


def first_emptied_after(context: Context, parent: str, time: str) -> Emptied | None:
    """The first unpacking of everything in a parent after a time. None: nobody has told of one."""
    entry = first_entry(Timeline(context, parent), time)
    if entry is None:
        return None
    return Emptied(entry[0], e.event_uri(entry[2]), e.lengthened(entry[5]), e.lengthened(entry[6]))
