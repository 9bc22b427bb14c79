"""Which releases an answer in a lane belongs to; and how that is undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from chaincode.lots.amounts import NOTHING
from chaincode.lots.claims import ACCEPT, MOST_NAMED, VOID, Answer, Confirmed, Fill, Release, shifted

if TYPE_CHECKING:
    from chaincode.lots.lane import Lane
    from chaincode.lots.sequence import Place

LOOK = 64
"""So many open releases an answer looks at for one of its size, and passes over that cannot be meant."""


def match(lane: Lane, answer: Answer) -> None:
    """Match an answer that has met nothing yet. All before it are matched, none after it is."""
    if answer.kind == VOID:
        _take_back(lane, answer)
    else:
        left = answer.quantity
        if answer.kind == ACCEPT and not answer.place[2].startswith("~"):
            left = _confirm(lane, answer)
        if left is None or left > 0:
            _fill(lane, answer, left)
    lane.put(answer)


def undo(lane: Lane, answer: Answer) -> None:
    """Take back what an answer met. None after it is matched."""
    for number, fill in reversed(list(enumerate(answer.fills))):
        release = lane.release(fill.release)
        assert release is not None
        _part(release, answer, fill, last=number + 1 == len(answer.fills))
        lane.put(release)
    for one in answer.confirms:
        receipt = lane.answer(one.receipt)
        assert receipt is not None
        receipt.confirmed -= one.amount
        lane.put(receipt)
        if one.release is not None:
            _with(lane, one.release, _unnote, answer)
    answer.fills, answer.confirms, answer.rest, answer.capped = [], [], NOTHING, False
    lane.put(answer)


def extend(lane: Lane, answer: Answer, release: Release) -> None:
    """A release that was told after an answer, and is dated after all that it met, fills what waits."""
    left = None if answer.quantity is None else answer.rest
    _unhang(lane, answer)
    _meet(lane, answer, release, left)
    _hang(lane, answer)
    lane.put(answer)


def stretch(lane: Lane, answer: Answer, quantity: Decimal, rest: Decimal) -> None:
    """An answer that found too little is of another size, and still finds too little."""
    _unhang(lane, answer)
    answer.quantity, answer.rest = quantity, rest
    _hang(lane, answer)
    lane.put(answer)


# --- receipts


def _fill(lane: Lane, answer: Answer, left: Decimal | None) -> None:
    answer.rest = left if left is not None else NOTHING
    known, more = _look(lane, answer, left)
    named = [release for release in known if answer.said.shares_document(release.said)]
    exact = [release for release in named or known if release.exact and release.open == left]
    if exact:
        _meet(lane, answer, exact[0], left)
        return
    answer.capped = more
    _fill_all(lane, answer, named)
    if _wants(answer):
        _fill_oldest(lane, answer)
    _hang(lane, answer)


def _look(lane: Lane, answer: Answer, left: Decimal | None) -> tuple[list[Release], bool]:
    """The first of the releases that are there and may be meant, up to one of just the size; and whether there are more."""
    known: list[Release] = []
    for looked, release in enumerate(lane.open_releases()):
        if release.place[0] > answer.place[0]:
            break
        if looked == LOOK:
            return known, True
        if answer.said.may_meet(release.said):
            known.append(release)
            if not answer.said.documents and release.exact and release.open == left:
                break
    return known, False


def _wants(answer: Answer) -> bool:
    return answer.rest > 0 or (answer.quantity is None and not answer.fills)


def _fill_all(lane: Lane, answer: Answer, releases: Iterable[Release]) -> None:
    for release in releases:
        if not _wants(answer):
            return
        _meet(lane, answer, release, answer.rest if answer.quantity is not None else None)


def _fill_oldest(lane: Lane, answer: Answer) -> None:
    """From the oldest on, as far as clocks may differ. Those that cannot be meant are passed over, some at most."""
    until, passed = shifted(answer.place[0], forward=True), 0
    for release in lane.open_releases():
        if release.place[0] > until or not _wants(answer):
            return
        if answer.said.may_meet(release.said):
            _meet(lane, answer, release, answer.rest if answer.quantity is not None else None)
        else:
            passed += 1
        if passed > LOOK:
            answer.capped = True
            return


def _meet(lane: Lane, answer: Answer, release: Release, left: Decimal | None) -> None:
    """An answer takes what it wants of a release: all of it where either side did not count."""
    was_open, amount = release.open, left
    if left is None:
        release.open = NOTHING
    elif release.quantity is None:
        release.got += left
    else:
        amount = min(left, release.open)
        release.open -= amount
        release.got += amount
    if amount is not None:
        release.counted += 1
        answer.rest -= amount
    answer.fills.append(Fill(release.place, amount, was_open))
    _name(release, answer)
    lane.put(release)


def _name(release: Release, answer: Answer) -> None:
    release.first = release.first or answer.place
    release.last = answer.place
    if answer.kind != VOID:
        _note(release, answer)
        return
    release.void_count += 1
    if len(release.voids) < MOST_NAMED:
        release.voids.append(answer.place[2])


def _unname(release: Release, answer: Answer) -> None:
    """Only ever the last that met it, so the first that are named stay the first."""
    release.last = None
    if answer.kind != VOID:
        _unnote(release, answer)
    else:
        release.void_count -= 1
        release.voids = release.voids[: release.void_count]
    if release.count == 0 and release.void_count == 0:
        release.first = None


def _note(release: Release, answer: Answer) -> None:
    """Name an answer, or an acceptance that only confirms one."""
    release.answer = release.answer or answer.place
    release.count += 1
    release.damaged += answer.said.damaged
    if len(release.answers) < MOST_NAMED:
        release.answers.append(answer.place[2])


def _unnote(release: Release, answer: Answer) -> None:
    release.count -= 1
    release.answers = release.answers[: release.count]
    release.damaged -= answer.said.damaged
    if release.count == 0:
        release.answer = None


def _part(release: Release, answer: Answer, fill: Fill, *, last: bool) -> None:
    amount = fill.amount
    if amount is None:
        release.open = fill.was_open
    elif release.quantity is not None:  # its account may have grown since, so what was taken is given back
        release.open += amount
    if answer.kind == VOID:
        release.taken -= amount or NOTHING
    elif amount is not None:
        release.counted -= 1
        release.got -= amount + (answer.rest if last else NOTHING)
    _unname(release, answer)


def _hang(lane: Lane, answer: Answer) -> None:
    """What is left over is too much of the last that an answer met."""
    if answer.fills and answer.rest > 0:
        release = lane.release(answer.fills[-1].release)
        assert release is not None
        release.got += answer.rest
        lane.put(release)


def _unhang(lane: Lane, answer: Answer) -> None:
    if answer.fills and answer.rest > 0:
        release = lane.release(answer.fills[-1].release)
        assert release is not None
        release.got -= answer.rest
        lane.put(release)


# --- acceptances of what was received


def _confirm(lane: Lane, answer: Answer) -> Decimal | None:
    """Match an acceptance with receipts that nobody has accepted yet; returns what is left of it, which counts as received."""
    left = answer.quantity
    known = [
        receipt
        for receipt in lane.receipts_before(answer.place)
        if receipt.said.msp == answer.said.msp and answer.said.may_meet(receipt.said) and _unconfirmed(receipt) > 0
    ]
    exact = [receipt for receipt in known if _unconfirmed(receipt) == left]
    for receipt in exact[:1] or known:
        if left is not None and left <= 0:
            break
        amount = _unconfirmed(receipt) if left is None else min(left, _unconfirmed(receipt))
        receipt.confirmed += amount
        lane.put(receipt)
        release = receipt.fills[0].release if receipt.fills else None
        answer.confirms.append(Confirmed(receipt.place, amount, release))
        if release is not None:
            _with(lane, release, _note, answer)
        left = NOTHING if left is None else left - amount
    return left


def _unconfirmed(receipt: Answer) -> Decimal:
    return NOTHING if receipt.quantity is None else receipt.quantity - receipt.confirmed


def _with(lane: Lane, place: Place, change: Callable[[Release, Answer], None], answer: Answer) -> None:
    release = lane.release(place)
    assert release is not None
    change(release, answer)
    lane.put(release)


# --- taking back


def _take_back(lane: Lane, answer: Answer) -> None:
    """Own releases, the latest first: the whole of one, or as much as is said."""
    known = [
        release
        for release in lane.open_before(answer.place)
        if release.said.msp == answer.said.msp and answer.said.may_meet(release.said)
    ]
    named = [release for release in known if answer.said.shares_document(release.said)]
    exact = [release for release in named or known if release.exact and release.open == answer.quantity]
    left = answer.quantity
    for release in exact[:1] or named or known:
        if left is not None and left <= 0:
            return
        was_open = release.open
        amount = was_open if left is None or release.quantity is None else min(left, was_open)
        release.open -= amount
        release.taken += amount
        answer.fills.append(Fill(release.place, amount, was_open))
        _name(release, answer)
        lane.put(release)
        if left is None or release.quantity is None:
            return
        left -= amount
