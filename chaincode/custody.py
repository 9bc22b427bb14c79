"""Who held an instance when. Pure: worked out from where it came from and from its handoffs.

Three things give custody: a beginning (commissioning, or else the first report of it), an acceptance, and being taken
out of a parent by somebody who evidently has it in hand. Each counts from its own time on, whenever it was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaincode.claims import Claim
from chaincode.matching import Hop
from chaincode.state import Record

_BEGINNING = ""  # before every time


@dataclass(frozen=True, slots=True)
class Holding:
    """From a time on, an organisation has a thing; ``party`` is the one of its parties that does, if it is known."""

    since: str
    rank: int
    msp: str
    party: str | None


def holdings(
    origin: Record | None, unpacked: Sequence[Record], hops: Sequence[Hop], *, confirmed: bool
) -> list[Holding]:
    """All of them, in order of time. ``confirmed``: an acceptance counts only if its sender has released."""
    found = [
        Holding(hop.acceptances[0].time, 1, hop.acceptances[0].msp, hop.acceptances[0].consignee)
        for hop in hops
        if hop.acceptances and (hop.releases or not confirmed)
    ]
    found += [Holding(one["time"], 0, one["msp"], one["party"]) for one in unpacked]
    found.sort(key=lambda holding: (holding.since, holding.rank))
    return [_first(origin, hops, found), *found]


def taken_out(before: Sequence[Record], now: Record) -> list[Record]:
    """All times a thing was taken out of a parent, by time: each gave custody from then on, and none is forgotten."""
    kept = [one for one in before if (one["time"], one["msp"]) != (now["time"], now["msp"])]
    return sorted([*kept, now], key=lambda one: (str(one["time"]), str(one["msp"])))


def _first(origin: Record | None, hops: Sequence[Hop], found: Sequence[Holding]) -> Holding:
    """Who had it in the beginning: its maker, else whoever was the first to have it by anybody's report."""
    claims = [hop.releases[0] for hop in hops[:1] if hop.releases] + [
        c for hop in hops[:1] for c in hop.acceptances[:1]
    ]
    if origin is not None and (origin["commissioned"] or not _is_earlier(claims, origin["time"])):
        return Holding(_BEGINNING, 0, origin["msp"], origin["party"])
    if not claims:
        return Holding(_BEGINNING, 0, found[0].msp, found[0].party)
    claim = min(claims, key=lambda one: one.order)
    party = claim.sender if claim.kind == "release" else claim.consignee
    return Holding(_BEGINNING, 0, claim.msp, party)


def _is_earlier(claims: Sequence[Claim], time: str) -> bool:
    return any(claim.time < time for claim in claims)


def holder_at(known: Sequence[Holding], time: str) -> Holding:
    """Who held it at a time."""
    current = known[0]
    for holding in known:
        if holding.since <= time:
            current = holding
    return current


def releaser_held(known: Sequence[Holding], hops: Sequence[Hop], number: int) -> Holding | None:
    """Who held a thing when the release of a hop was made, if it was not who made it; None if it was.

    The hop's own acceptance does not speak against it, nor do those after it, whatever their clocks say.
    """
    release = hops[number].releases[0]
    not_yet = {hop.acceptances[0].time for hop in hops[number:] if hop.acceptances}
    earlier = [holding for holding in known if holding.rank == 0 or holding.since not in not_yet]
    holder = holder_at(earlier, release.time)
    return None if holder.msp == release.msp else holder


def in_transit_at(known: Sequence[Holding], hops: Sequence[Hop], time: str) -> bool:
    """Whether a thing was on its way between two holders."""
    before = [hop for hop in hops if hop.first.time <= time]
    if not before or not before[-1].releases or before[-1].voided:
        return False
    last = before[-1]
    answered = bool(last.acceptances) and last.acceptances[0].time <= time
    taken = any(holding.since > last.releases[0].time and holding.since <= time for holding in known)
    return not answered and not taken
