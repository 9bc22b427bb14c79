"""Lanes of the first version: all claims in one record, matched anew each time. They become accounts and a lane when they are first touched.

What the first version's matching moved is what balances hold, so it is worked out once more, to go on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter

from chaincode import keys
from chaincode.claims import Claim, within_skew
from chaincode.handoffs import lane_name
from chaincode.lots.amounts import NOTHING
from chaincode.lots.balances import Tally
from chaincode.state import Record, State
from epcis.units import unit


def claims_of(record: Record | None, base: str | None) -> list[Claim]:
    """The claims in a lane of the first version; nothing for one of this version. Those in another unit never got there."""
    if record is None or "v" in record:
        return []
    found = [Claim.from_record(claim) for claim in record.get("claims", ())]
    return [_converted(claim) for claim in found if base is None or unit(claim.uom).base == base]


def _converted(claim: Claim) -> Claim:
    quantity = None if claim.quantity is None else claim.quantity * unit(claim.uom).factor
    return claim if quantity is None else _sized(claim, quantity)


def _sized(claim: Claim, quantity: Decimal) -> Claim:
    from dataclasses import replace

    return replace(claim, quantity=quantity)


def identities(record: Record, item: str, consignee: str) -> Iterator[str]:
    """The handoffs that a lane of the first version still works out. Those that it has folded are history, and stay."""
    for number in range(record.get("folded", 0), record.get("written", 0)):
        yield f"{lane_name(item, consignee)}-{number}"


def leftovers(state: State, document: tuple[str, str]) -> list[tuple[str, str, str, str]]:
    """What one side alone said under a document, as the first version kept it: item, consignee, handoff, side. Once: it is deleted."""
    record = state.get(keys.document(*document))
    if record is None:
        return []
    state.delete(keys.document(*document))
    return [(one["item"], one["lane"], one["handoff"], one["side"]) for one in record["open"]]


@dataclass(slots=True)
class _Hop:
    """One handoff."""

    releases: list[Claim] = field(default_factory=list)
    acceptances: list[Claim] = field(default_factory=list)
    voids: list[Claim] = field(default_factory=list)

    @property
    def released(self) -> Decimal | None:
        total = _sum(self.releases)
        return None if total is None else total - self.taken_back

    @property
    def taken_back(self) -> Decimal:
        total = _sum(self.releases) or NOTHING
        if not self.voids:
            return NOTHING
        named = _sum(self.voids)
        return total if named is None else min(named, total)

    @property
    def accepted(self) -> Decimal | None:
        return _sum(self.counted)

    @property
    def counted(self) -> list[Claim]:
        received = [claim for claim in self.acceptances if claim.kind == "receive"]
        confirmed = [claim for claim in self.acceptances if claim.kind == "accept"]
        return received if (_sum(received) or NOTHING) >= (_sum(confirmed) or NOTHING) and received else confirmed

    @property
    def missing(self) -> Decimal:
        if self.released is None or self.accepted is None:
            return self.released or NOTHING if not self.acceptances else NOTHING
        return self.released - self.accepted

    @property
    def voided(self) -> bool:
        if not self.voids or self.acceptances:
            return False
        return self.released is None or self.released <= 0


def movements(claims: Iterable[Claim]) -> Tally:
    """What the first version's matching of a lane's claims has added to balances."""
    hops: list[_Hop] = []
    for claim in sorted(claims, key=attrgetter("order")):
        _MATCHERS[claim.kind](hops, claim)
    tally = Tally()
    for hop in hops:
        for claim in hop.releases:
            if claim.quantity is not None:
                tally.add(claim.sender, claim.place, -claim.quantity)
        for claim in hop.voids[:1]:
            tally.add(claim.sender, hop.releases[0].place, hop.taken_back)
        for claim in hop.counted:
            if claim.quantity is not None:
                tally.add(claim.consignee, claim.place, claim.quantity)
    return tally


def _sum(claims: Iterable[Claim]) -> Decimal | None:
    known = [claim.quantity for claim in claims if claim.quantity is not None]
    return sum(known, NOTHING) if known else None


def _added(hops: list[_Hop]) -> _Hop:
    hops.append(_Hop())
    return hops[-1]


def _release(hops: list[_Hop], claim: Claim) -> None:
    known = [hop for hop in hops if not hop.voided and _may_meet(hop, claim)]
    unexplained = [hop for hop in known if not hop.releases and _is_announced_by(hop, claim)]
    same_size = [hop for hop in unexplained if hop.accepted == claim.quantity]
    same_shipment = [hop for hop in known if hop.releases and _shares(hop.releases, claim)]
    found = same_size or unexplained or same_shipment
    (found[0] if found else _added(hops)).releases.append(claim)


def _is_announced_by(hop: _Hop, claim: Claim) -> bool:
    accepted = hop.acceptances[0]
    return _shares(hop.acceptances, claim) or within_skew(accepted.time, claim.time)


def _receive(hops: list[_Hop], claim: Claim) -> None:
    known = [hop for hop in hops if not hop.voided and _may_meet(hop, claim)]
    named = [hop for hop in known if _shares([*hop.releases, *hop.acceptances], claim)]
    waiting = named or [hop for hop in known if hop.releases and (hop.missing > 0 or not hop.acceptances)]
    if not waiting:
        _added(hops).acceptances.append(claim)
    elif claim.quantity is None:
        waiting[0].acceptances.append(claim)
    else:
        _share_out(waiting, claim, claim.quantity)


def _confirm(hops: list[_Hop], claim: Claim) -> None:
    unconfirmed = [hop for hop in hops if _may_meet(hop, claim) and _awaits_confirmation(hop, claim)]
    if unconfirmed:
        unconfirmed[0].acceptances.append(claim)
    else:
        _receive(hops, claim)


def _awaits_confirmation(hop: _Hop, claim: Claim) -> bool:
    received = [one for one in hop.acceptances if one.kind == "receive" and one.msp == claim.msp]
    confirmed = [one for one in hop.acceptances if one.kind == "accept"]
    wanted = (_sum(confirmed) or NOTHING) + (claim.quantity or NOTHING)
    return bool(received) and wanted <= (_sum(received) or NOTHING)


def _void(hops: list[_Hop], claim: Claim) -> None:
    own = [hop for hop in hops if hop.releases and not hop.voided and hop.releases[0].msp == claim.msp]
    open_ones = [hop for hop in own if not hop.acceptances and _may_meet(hop, claim)]
    named = [hop for hop in open_ones if _shares(hop.releases, claim)]
    found = named or open_ones
    if found:
        found[-1].voids.append(claim)


def _may_meet(hop: _Hop, claim: Claim) -> bool:
    return all(one.fits_sender(claim) and not one.contradicts(claim) for one in [*hop.releases, *hop.acceptances])


def _shares(claims: Iterable[Claim], claim: Claim) -> bool:
    return any(one.shares_document(claim) for one in claims)


def _share_out(waiting: list[_Hop], claim: Claim, quantity: Decimal) -> None:
    exact = [hop for hop in waiting if hop.missing == quantity]
    if exact:
        exact[0].acceptances.append(claim)
        return
    for hop in waiting[:-1]:
        part = min(quantity, max(hop.missing, NOTHING))
        if part > 0:
            hop.acceptances.append(_sized(claim, part))
            quantity -= part
    if quantity > 0 or not any(claim.event == one.event for hop in waiting for one in hop.acceptances):
        waiting[-1].acceptances.append(_sized(claim, quantity))


_MATCHERS: dict[str, Callable[[list[_Hop], Claim], None]] = {
    "release": _release,
    "receive": _receive,
    "accept": _confirm,
    "void": _void,
}
