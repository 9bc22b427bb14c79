"""A lane: what was released of a lot to one consignee, and what answers it.

Answers are taken in order of their times. Each looks for releases that share a document with it; then for one of exactly its size
among the first that are open; then it fills the oldest. What is still left may belong to a release that is dated up to
``CLOCK_SKEW`` later: clocks and habits differ. What nothing fills is unannounced. A taking back takes the latest first.

What each release and answer met is kept with it. So one that comes in order is one step, whatever stands open; and one that comes
late undoes and does again the answers after it, no more. The result is the same as if all were matched anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from itertools import islice

from chaincode import keys
from chaincode.context import Context
from chaincode.history import Entry
from chaincode.lots import filling
from chaincode.lots.balances import Tally
from chaincode.lots.claims import (
    AHEAD,
    CAPPED,
    OPEN,
    RECEIVE,
    VOID,
    WAITING,
    AccountName,
    Answer,
    Release,
    place_of,
    shifted,
)
from chaincode.lots.filling import LOOK
from chaincode.lots.sequence import Place, Sequence
from chaincode.rejection import Rejection
from chaincode.state import Record

MOST_AGAIN = 4_000
"""So many answers are matched anew at most: a transaction has to stay small enough to be endorsed."""
_INLINE = 16
_KIND = "HX"


class Lane:
    """The releases and answers of a lot and a consignee; ``moved_before`` and ``moved_after``: what changed answers add to balances."""

    def __init__(self, context: Context, uri: str, consignee: str, endorsed: Record) -> None:
        self._state = context.state
        self.uri, self.consignee = uri, consignee
        self._key = keys.claims(uri, consignee)
        record = context.state.get(self._key) or {}
        self._endorsed = endorsed
        self._name = f"{uri}\n{consignee}"
        self._releases = Sequence(self._state, _KIND, f"{self._name}\nr", record.get("releases"), _mark_release)
        self._answers = Sequence(self._state, _KIND, f"{self._name}\na", record.get("answers"), _mark_answer)
        self.touched: set[Place] = set()
        """Releases and answers that changed, came or went."""
        self.moved_before, self.moved_after = Tally(), Tally()

    # --- what came and went

    def release(self, place: Place) -> Release | None:
        """The release at a place."""
        entry = self._releases.get(place)
        return None if entry is None else Release.from_entry(entry)

    def answer(self, place: Place) -> Answer | None:
        """The answer at a place."""
        entry = self._answers.get(place)
        return None if entry is None else self._parsed(entry)

    def add_release(self, release: Release) -> None:
        """So much was sent. What waits for it is matched with it."""
        concerned = self._shortly_before(release)
        late = next(self._answers.ascending(release.place), None) is not None
        if not late and all(_only_waits(one, release) for one in concerned):
            self._put_release(release)
            for answer in concerned:
                if release.is_open and answer.said.may_meet(release.said):
                    self._again(answer, partial(filling.extend, self, answer, release))
        elif late or concerned:
            start = min([release.place, *(one.place for one in concerned[:1])])
            self._rework(start, partial(self._put_release, release))

    def _shortly_before(self, release: Release) -> list[Answer]:
        """The answers shortly before a release that wait for one, or had to take one that is dated later still."""
        start = (shifted(release.place[0], forward=False), 0, "")
        found: list[Answer] = []
        for entry in self._answers.ascending(start, WAITING | AHEAD):
            if place_of(entry) >= release.place:
                break
            answer = self._parsed(entry)
            if answer.is_waiting or _met_after(answer, release):
                found.append(answer)
        return found

    def remove_release(self, place: Place) -> None:
        """What was sent was not, or its account has settled it."""
        release = self.release(place)
        if release is None:
            return
        starts = [] if release.first is None else [release.first]
        starts += [place_of(entry) for entry in islice(self._answers.ascending(place, CAPPED), 1)]
        if starts:
            self._rework(min(starts), partial(self._drop_release, place))
        else:
            self._drop_release(place)

    def resize_release(self, place: Place, quantity: Decimal | None) -> bool:
        """Change how much an account of several releases has left over; False if that is not this simple."""
        release = self.release(place)
        if release is None or release.exact or release.quantity is None or quantity is None:
            return False
        more = quantity - release.quantity
        if release.untouched or release.open > 0:  # none has asked for more than there was
            if release.open + more < 0:
                return False
            release.open, release.quantity = release.open + more, quantity
            self._put_release(release)
            return True
        if release.last is None or more < 0:
            return False
        self._rework(release.last, partial(self._enlarge, place, more))
        return True

    def _enlarge(self, place: Place, more: Decimal) -> None:
        release = self.release(place)
        assert release is not None
        assert release.quantity is not None
        release.open, release.quantity = release.open + more, release.quantity + more
        self._put_release(release)

    def add_answer(self, answer: Answer) -> None:
        """So much has arrived, or was taken back."""
        self._rework(answer.place, partial(self._put_answer, answer))

    def remove_answer(self, place: Place) -> None:
        """What arrived did not, or its account has settled it."""
        if self._answers.get(place) is not None:
            self._rework(place, partial(self._drop_answer, place))

    def resize_answer(self, place: Place, quantity: Decimal | None) -> bool:
        """Change how much more than was announced an account has; False if that is not this simple."""
        answer = self.answer(place)
        if answer is None or answer.quantity is None or quantity is None or answer.rest <= 0:
            return False
        left = answer.rest + quantity - answer.quantity
        if left <= 0:
            return False
        self._again(answer, partial(filling.stretch, self, answer, quantity, left))
        return True

    # --- undoing and doing again

    def _rework(self, start: Place, change: Callable[[], None]) -> None:
        """Make a change that answers from a place on may have to be matched anew for."""
        for place in reversed(self._from(start)):
            answer = self._known(place)  # as it is by now: undoing an acceptance changes the receipts that it confirms
            self._count(self.moved_before, answer)
            filling.undo(self, answer)
        change()
        for place in self._from(start):
            answer = self._known(place)
            filling.match(self, answer)
            self._count(self.moved_after, answer)

    def _known(self, place: Place) -> Answer:
        answer = self.answer(place)
        assert answer is not None
        return answer

    def _again(self, answer: Answer, change: Callable[[], None]) -> None:
        """Make a change that concerns one answer only."""
        self._count(self.moved_before, answer)
        change()
        self._count(self.moved_after, answer)

    def _from(self, start: Place) -> list[Place]:
        found: list[Place] = []
        for entry in self._answers.ascending(start):
            if len(found) == MOST_AGAIN:
                raise Rejection(
                    "too_late",
                    f"more than {MOST_AGAIN} later receipts of {self.uri} by {self.consignee or 'nobody named'} would have to be"
                    " matched anew: name the document of the shipment (despatch advice, bill of lading)",
                    "bizTransactionList",
                    item=self.uri,
                )
            found.append(place_of(entry))
        return found

    def _count(self, tally: Tally, answer: Answer) -> None:
        """What an answer adds to balances. What an account has left over is counted there."""
        if answer.kind == VOID:
            for fill in answer.fills:
                release = self.release(fill.release)
                if release is not None and fill.amount:
                    tally.add(release.said.sender, release.said.at, fill.amount)
        elif answer.counts and AccountName.of(answer.place[2]) is None:
            tally.add(self.consignee, answer.said.at, answer.counts)

    # --- for matching

    def open_releases(self) -> Iterator[Release]:
        """The open releases, oldest first."""
        return (Release.from_entry(entry) for entry in self._releases.ascending(None, OPEN))

    def open_before(self, place: Place) -> Iterator[Release]:
        """The open ones among the last releases before a place, latest first."""
        for entry in islice(self._releases.descending(place), LOOK):
            release = Release.from_entry(entry)
            if release.is_open:
                yield release

    def receipts_before(self, place: Place) -> list[Answer]:
        """The last receipts before an acceptance that it may confirm, oldest first."""
        found = [
            self._parsed(entry)
            for entry in islice(self._answers.descending(place), LOOK)
            if entry[3]["kind"] == RECEIVE and AccountName.of(entry[2]) is None
        ]
        return found[::-1]

    def put(self, changed: Release | Answer) -> None:
        """Keep what matching has changed."""
        if isinstance(changed, Release):
            self._put_release(changed)
        else:
            self._put_answer(changed)

    def _put_release(self, release: Release) -> None:
        self.touched.add(release.place)
        self._releases.put(release.to_entry())

    def _drop_release(self, place: Place) -> None:
        self.touched.add(place)
        self._releases.remove(place)

    # An answer that met many releases (a year's receipts in one) says which in a record of its own.

    def _far(self, place: Place) -> str:
        return keys.page(_KIND, f"{self._name}\nf\n{place[0]}{place[2]}", 0)

    def _put_answer(self, answer: Answer) -> None:
        self.touched.add(answer.place)
        before = self._answers.get(answer.place)
        entry = answer.to_entry()
        if len(answer.fills) > _INLINE:
            self._state.put(self._far(answer.place), {"v": 2, "fills": entry[3].pop("fills"), **self._endorsed})
            entry[3]["far"] = True
        elif before is not None and "far" in before[3]:
            self._state.delete(self._far(answer.place))
        self._answers.put(entry)

    def _drop_answer(self, place: Place) -> None:
        entry = self._answers.get(place)
        if entry is not None and "far" in entry[3]:
            self._state.delete(self._far(place))
        self.touched.add(place)
        self._answers.remove(place)

    def _parsed(self, entry: Entry) -> Answer:
        if "far" in entry[3]:
            place = place_of(entry)
            far = self._state.get(self._far(place))
            assert far is not None
            entry = [*place, {**entry[3], "fills": far["fills"]}]
        return Answer.from_entry(entry)

    # --- the record

    def keys(self) -> Iterator[str]:
        """The keys of its records."""
        yield self._key
        yield from self._releases.pages()
        yield from self._answers.pages()
        for entry in self._answers.ascending():
            if "far" in entry[3]:
                yield self._far(place_of(entry))

    def places(self) -> Iterator[Place]:
        """Where each release and answer stands."""
        for entry in [*self._releases.ascending(), *self._answers.ascending()]:
            yield place_of(entry)

    def save(self) -> None:
        """Write what changed."""
        record: Record = {"v": 2}
        for name, sequence in (("releases", self._releases), ("answers", self._answers)):
            if root := sequence.save(self._endorsed):
                record[name] = root
        before = self._state.get(self._key)
        if len(record) == 1:
            if before is not None:
                self._state.delete(self._key)
        elif before != (record := {**record, **self._endorsed}):
            self._state.put(self._key, record)


def _met_after(answer: Answer, release: Release) -> bool:
    return any(fill.release > release.place for fill in answer.fills)


def _only_waits(answer: Answer, release: Release) -> bool:
    """Whether a release that comes in order is the next that an answer takes, and nothing else about it changes."""
    return answer.is_waiting and not answer.capped and not answer.confirmed and not _met_after(answer, release)


def _mark_release(entry: Entry) -> int:
    record = entry[3]
    if record["q"] is None:
        return 0 if "first" in record else OPEN
    return 0 if record.get("open", record["q"]) == "0" else OPEN


def _mark_answer(entry: Entry) -> int:
    marks: int = entry[3].get("marks", 0)
    return marks
