"""Unpacking without naming what: everything that was in a parent at that moment is taken out of it.

What was in it is known by now, or will be: whatever turns out to have been in it gets the statement too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chaincode import keys
from chaincode.facts import Fact, recorded
from chaincode.goods import entries as e
from chaincode.history import Entry, long_name
from chaincode.rejection import Rejection

if TYPE_CHECKING:
    from chaincode.goods.settle import Settling
    from chaincode.goods.timeline import Timeline

_MOST_LOADINGS = 2_000


def out_of(parent: str, emptied: Entry) -> Entry:
    """What an emptying says of one thing in the parent."""
    time, _, event, _, msp, party, place, *_ = emptied
    more = {"of": e.shortened(parent), "swept": True}
    return e.make(e.OUT, time, event, msp, e.lengthened(party), e.lengthened(place), more)


def sweep(settling: Settling, parent: str, emptied: Entry) -> list[str]:
    """Take everything out that is known to have been in the parent; returns the classes of loose quantities among it."""
    thing, state = settling.thing(parent), settling.context.state
    inside = [names[1] for names, record in state.under("IN", parent) if record["since"] < emptied[0]]
    classes = [names[1] for names, _ in state.under("IQ", parent)]
    if any(_lets_out(entry) and entry[2] != emptied[2] for entry in thing.history.since(emptied[0])):
        for loading in loadings(settling, parent, emptied):
            inside += loading.event.child_epcs
            classes += [element.epc_class for element in loading.event.child_quantity_list]
    state.prefetch(map(keys.thing, inside))
    for uri in dict.fromkeys(inside):
        settling.add(uri, out_of(parent, emptied))
    return list(dict.fromkeys(classes))


def _lets_out(entry: Entry) -> bool:
    """Whether by what an entry says something may have left the thing: then what is in it now is not all that was."""
    return entry[3][0] == e.GUEST or entry[3] in (e.HANDLE, e.EMPTY)


def unsweep(settling: Settling, parent: str, emptied: Entry) -> list[str]:
    """Undo ``sweep``; returns the classes."""
    place = (emptied[0], e.RANKS[e.OUT], emptied[2])
    classes: list[str] = []
    for loading in loadings(settling, parent, emptied):
        classes += [element.epc_class for element in loading.event.child_quantity_list]
        for uri in loading.event.child_epcs:
            settling.remove(uri, place)
    return list(dict.fromkeys(classes))


def loadings(settling: Settling, parent: str, emptied: Entry) -> Iterator[Fact]:
    """The events that packed something into a parent since it was last emptied before. Raises Rejection for too many."""
    thing, state = settling.thing(parent), settling.context.state
    events, complete = _loadings(thing, emptied[0])
    while not complete and thing.reach_further():
        events, complete = _loadings(thing, emptied[0])
        if len(events) > _MOST_LOADINGS:
            detail = f"{parent} was loaded more than {_MOST_LOADINGS} times since it was empty: name what you take out"
            raise Rejection("too_late", detail)
    state.prefetch(keys.event(long_name(event)) for event in events)
    for event in events:
        record = state.get(keys.event(long_name(event)))
        if record is not None and "event" in record:
            yield recorded(record, long_name(event))


def _loadings(thing: Timeline, until: str) -> tuple[list[str], bool]:
    """Short names of the events, and whether an earlier emptying was met among what is at hand."""
    events: list[str] = []
    emptied: str | None = None
    for entry in reversed(thing.history.entries):
        if emptied is not None and entry[0] < emptied:
            return events, True
        if entry[0] < until and entry[3] == e.EMPTY:
            emptied = entry[0]  # what went in at that very moment went in after it
        if entry[0] < until and e.more_of(entry).get("in") is True:
            events.append(entry[2])
    return events, False


def first_emptied_after(thing: Timeline, time: str) -> Entry | None:
    """The first time after a moment at which a parent was emptied."""
    if thing.emptied <= time:
        return None
    thing.reach(time)
    return next((entry for entry in thing.history.since(time) if entry[3] == e.EMPTY and entry[0] > time), None)


def sweep_new_stays(settling: Settling, thing: Timeline) -> None:
    """What turns out to have been in a parent when it was emptied was taken out then."""
    before = thing.old.stays
    for (parent, start), end in thing.new.stays.items():
        if (parent, start) in before and before[(parent, start)] == end:
            continue
        emptied = first_emptied_after(settling.thing(parent), start)
        if emptied is not None and (end is None or emptied[0] <= end):
            settling.add(thing.uri, out_of(parent, emptied))
