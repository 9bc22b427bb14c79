"""An instance's record and the history in it, while an event is worked in: what followed before, what follows now."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_

from chaincode import keys
from chaincode.context import Context
from chaincode.endorsement import endorsed_as
from chaincode.goods import entries as e
from chaincode.goods.fold import Fold
from chaincode.goods.legacy import converted
from chaincode.goods.outcome import Outcome
from chaincode.goods.standing import Standing
from chaincode.history import Base, Entry, History, Place, place_of
from chaincode.state import Record
from chaincode.trails import START

_KIND = "TH"
_DEEPEST = 64


class Timeline:
    """A thing's history. ``old`` is what follows from it as it was, ``new`` as it is since ``refold``."""

    def __init__(self, context: Context, uri: str) -> None:
        self.uri = uri
        self._confirmed = context.enforces
        found = context.state.get(keys.thing(uri))
        self.record: Record | None = None if found is None else converted(context.state, uri, found)
        self.history = History(context.state, _KIND, uri, self.record)
        self._were = list(self.history.entries)
        self._old: Outcome | None = None if self.record is not None else _NOTHING
        self._new: Outcome | None = _NOTHING

    @property
    def is_new(self) -> bool:
        """Whether nothing was said of it before."""
        return not self._were and self.history.base is None

    @property
    def since(self) -> Place:
        """Where the part of the history begins that is at hand."""
        return place_of(self.history.entries[0]) if self.history.entries else ("", 0, "")

    @property
    def old(self) -> Outcome:
        """What followed before."""
        if self._old is None:
            self._old = self._folded(self._were).outcome()
        return self._old

    @property
    def new(self) -> Outcome:
        """What followed when it was folded last, from all that is at hand by now."""
        return self.refold() if self._new is None else self._new

    def add(self, entry: Entry) -> bool:
        """Take an entry in; False if its place is taken."""
        said = self.history.entries
        if said and said[-1][:3] < entry[:3]:
            said.append(entry)
            return True
        self.reach(entry[0])
        return self.history.add(entry)

    def remove(self, place: Place) -> bool:
        """Take an entry out; False if there is none."""
        self.reach(place[0])
        return self.history.remove(place)

    def replace(self, entry: Entry) -> None:
        """Put another entry in the place of one."""
        self.remove((entry[0], entry[1], entry[2]))
        self.history.add(entry)

    def forget(self, places: Sequence[Place]) -> None:
        """Take entries out that say nothing, from which nothing follows."""
        for place in places:
            self.history.remove(place)
        if places:
            self.refold()

    def find(self, place: Place) -> Entry | None:
        """The entry in a place, if there is one."""
        self.reach(place[0])
        return next((entry for entry in self.history.since(place[0]) if (entry[0], entry[1], entry[2]) == place), None)

    def reach(self, time: str) -> None:
        """Have the history from a time on at hand, as it was and as it is."""
        there = len(self.history.entries)
        self.history.reach(time)
        fetched = len(self.history.entries) - there
        if fetched:
            self._were[:0] = self.history.entries[:fetched]
            self._old = self._new = None

    def reach_further(self) -> bool:
        """Fetch what came before; False if there is nothing."""
        there = len(self.history.entries)
        if there:
            self.reach(self.history.entries[0][0])
        return len(self.history.entries) > there

    @property
    def emptied(self) -> str:
        """When everything was last taken out of it, or later."""
        known: str = "" if self.record is None else self.record.get("emptied", "")
        times: list[str] = [entry[0] for entry in self.history.entries if entry[3] == e.EMPTY]
        return max([known, *times]) if times else known

    def is_last(self, entry: Entry) -> bool:
        """Whether nothing is said of a later moment."""
        entries = self.history.entries
        return not entries or entries[-1][0] <= entry[0]

    def refold(self) -> Outcome:
        """What follows now."""
        entries, were = self.history.entries, self._were
        before = len(were)
        if before and len(entries) >= before and all(map(is_, entries, were)):
            fold = self._folded(were)
            if self._old is None:
                self._old = fold.outcome(more=True)
            fold.run(entries[before:])
        else:
            fold = self._folded(entries)
        self._new = fold.outcome()
        return self._new

    def _folded(self, entries: list[Entry]) -> Fold:
        fold = Fold(self.uri, self.history.base, confirmed=self._confirmed)
        fold.run(entries)
        return fold

    def _advance(self, base: Base, entries: list[Entry]) -> Base:
        fold = Fold(self.uri, base, confirmed=self._confirmed)
        fold.run(entries)
        return fold.base()

    def to_record(self) -> Record:
        """What the ledger keeps: what is true of the thing now, and its history."""
        at, emptied = self.new.standing, self.emptied
        endorsed = endorsed_as(self.record) if self.record is not None else {}
        packed = at.parent is not None
        last = at.hop
        record: Record = {
            "v": 2,
            "id": self.uri,
            "msp": at.msp,
            "maker": at.maker,
            "title": at.title,
            "holder": None if packed else e.lengthened(at.party),
            "place": None if packed else e.lengthened(at.place),
            "status": self._status(at),
            "disposition": at.disposition,
            "parent": at.parent,
            "commissioned": at.maker is not None or at.labelled,
            "lot": at.lot,
            "open": [last.identifier(self.uri)] if last is not None and not last.settled else [],
            "event": e.event_uri(at.event) if at.event else "",
            "time": at.time,
            **endorsed,
            **self.history.save(self._advance, endorsed),
        }
        if self.record is None:
            record["trail"] = START
        elif "trail" in self.record:
            record["trail"] = self.record["trail"]
        if at.ended is not None:
            record["ended"] = at.ended[:4]
        if emptied:
            record["emptied"] = emptied
        return record

    @staticmethod
    def _status(at: Standing) -> str:
        if at.ended is not None:
            return str(at.ended[1])
        return "in_transit" if at.moving and at.parent is None else "active"


_NOTHING = Outcome(Standing())


def keys_of(context: Context, uri: str) -> list[str]:
    """The keys of all that records a thing's custody: its record, the older parts of its history, its handoffs."""
    thing = Timeline(context, uri)
    pages = [keys.page(_KIND, uri, number) for number in range(thing.history.pages)]
    while thing.reach_further():
        pass
    return [keys.thing(uri), *pages, *map(keys.handoff, thing.old.handoffs)]


def outermost(context: Context, record: Record) -> Record:
    """The parent of the parent of … a thing; the thing itself if nothing holds it."""
    for _ in range(_DEEPEST):
        parent = None if record["parent"] is None else context.state.get(keys.thing(record["parent"]))
        if parent is None:
            return record
        record = parent
    return record
