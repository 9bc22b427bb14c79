"""Who has title to an instance: who said that they made it, and after that whom it was handed over to by who had title.

A thing goes hand over hand by itself, and with what it is in. So while it is packed, by who has title to it, handoffs of its parent count as its own.
What gives no title: holding a thing, having received what its owner did not ship, having been the first to speak of it, packing or
unpacking it.

It takes the whole history of the thing and of what it was packed in, so it is worked out when somebody asks, not for each event.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.context import Context
from chaincode.goods import entries as e
from chaincode.goods.fold import Fold
from chaincode.goods.hops import Hop
from chaincode.goods.timeline import Timeline
from chaincode.history import Place, place_of

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class _Stay:
    """That a thing is in a parent, since when, and who packed it."""

    parent: str
    since: Place
    by: str


def title_of(context: Context, uri: str) -> str | None:
    """The organisation that may decide over a thing; None if nobody reported its making."""
    return _carried(context, uri, None, None, None, 0)


def _carried(
    context: Context, uri: str, title: str | None, start: Place | None, end: Place | None, depth: int
) -> str | None:
    """Who has, at ``end``, the title that somebody had at ``start``, if it went where a thing went. Without a start: from the
    thing's own beginning."""
    thing = Timeline(context, uri)
    while thing.reach_further():
        pass
    fold = Fold(uri, thing.history.base, confirmed=context.enforces)
    title, stay, passed = _began(fold, title, start), None, _done(fold.at.hop)
    for entry in thing.history.entries:
        place = place_of(entry)
        if end is not None and place > end:
            break
        before = fold.at.parent, fold.at.packed
        fold.run([entry])
        at, counts = fold.at, start is None or place > start
        if start is None and entry[3] == e.BEGIN and at.maker == entry[4]:
            title = entry[4]
        if (at.parent, at.packed) != before:
            if stay is not None and counts:
                title = _with_parent(context, title, stay, start, place, depth)
            stay = None if at.parent is None else _Stay(at.parent, place, entry[4])
        done = _done(at.hop)
        if done is not None and done != passed:
            passed = done
            if counts and stay is None:
                title = _passed(at.hop, title, uri)
    return title if stay is None else _with_parent(context, title, stay, start, end, depth)


def _began(fold: Fold, title: str | None, start: Place | None) -> str | None:
    """The title that is known when a history begins: records of the first version keep no more than the maker."""
    return fold.at.title if start is None else title


def _with_parent(
    context: Context, title: str | None, stay: _Stay, start: Place | None, end: Place | None, depth: int
) -> str | None:
    """The title to what was in a parent, at the end of that. Only its owner's packing counts."""
    if title is None or stay.by != title or depth >= _DEEPEST:
        return title
    since = stay.since if start is None else max(stay.since, start)
    return _carried(context, stay.parent, title, since, end, depth + 1)


def _done(hop: Hop | None) -> tuple[str, str] | None:
    """What names a handoff that both sides have attested."""
    if hop is None or hop.release is None or hop.acceptance is None or hop.idle:
        return None
    return hop.release.event, hop.acceptance.event


def _passed(hop: Hop | None, title: str | None, uri: str) -> str | None:
    """Title goes with what both sides attest, from who had it, and nothing about it is in doubt."""
    if hop is None or hop.release is None or hop.acceptance is None or hop.robbed is not None or hop.faults(uri):
        return title
    return hop.acceptance.msp if hop.release.msp == title else title
