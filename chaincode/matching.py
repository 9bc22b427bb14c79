"""Which release belongs to which acceptance. Pure: handoffs are worked out from all claims about an item.

An instance is in one place at a time, so its claims form one sequence: a release, the acceptance that answers it, the
next release. A lot goes to a consignee in many shipments at once, so its claims are matched by document, by quantity and
by age, and one acceptance may answer several releases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter

from chaincode.claims import Claim, within_skew

_NOTHING = Decimal(0)


@dataclass(slots=True)
class Hop:
    """One handoff: what was said by the sender, what by the consignee."""

    releases: list[Claim] = field(default_factory=list)
    acceptances: list[Claim] = field(default_factory=list)
    voids: list[Claim] = field(default_factory=list)
    idle: bool = False
    """Accepted by who had it anyway: nothing changed hands."""

    @property
    def released(self) -> Decimal | None:
        """How much of a lot was released; None if nobody said."""
        total = _sum(self.releases)
        return None if total is None else total - self.taken_back

    @property
    def taken_back(self) -> Decimal:
        """How much of what was released never left after all; all of it unless a part is named."""
        total = _sum(self.releases) or _NOTHING
        if not self.voids:
            return _NOTHING
        named = _sum(self.voids)
        return total if named is None else min(named, total)

    @property
    def accepted(self) -> Decimal | None:
        """How much of a lot was accepted. What was received and then accepted is counted once."""
        return _sum(self.counted)

    @property
    def counted(self) -> list[Claim]:
        """The acceptances whose quantities count."""
        received = [claim for claim in self.acceptances if claim.kind == "receive"]
        confirmed = [claim for claim in self.acceptances if claim.kind == "accept"]
        return received if (_sum(received) or _NOTHING) >= (_sum(confirmed) or _NOTHING) and received else confirmed

    @property
    def missing(self) -> Decimal:
        """Released and not accepted; negative where more came than was sent, zero where nobody counted."""
        if self.released is None or self.accepted is None:
            return self.released or _NOTHING if not self.acceptances else _NOTHING
        return self.released - self.accepted

    @property
    def voided(self) -> bool:
        """Whether the sender has taken the whole release back."""
        if not self.voids or self.acceptances:
            return False
        return self.released is None or self.released <= 0

    @property
    def first(self) -> Claim:
        """The earliest claim."""
        claims = [*self.releases, *self.acceptances, *self.voids]
        return claims[0] if len(claims) == 1 else min(claims, key=attrgetter("order"))

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.voided or self.idle or (bool(self.releases) and bool(self.acceptances) and self.missing == 0)


def _sum(claims: Iterable[Claim]) -> Decimal | None:
    known = [claim.quantity for claim in claims if claim.quantity is not None]
    return sum(known, _NOTHING) if known else None


def match_instance(claims: Iterable[Claim]) -> list[Hop]:
    """The handoffs of an instance, one after the other."""
    hops: list[Hop] = []
    for claim in sorted(claims, key=attrgetter("order")):
        last = hops[-1] if hops else None
        if claim.kind == "void":
            if last is not None and _takes_back(last, claim):
                last.voids.append(claim)
        elif claim.kind == "release":
            joined = last if last is not None and _is_its_release(last, claim) else _added(hops)
            joined.releases.append(claim)
        else:
            joined = last if last is not None and _is_its_acceptance(last, claim) else _added(hops)
            joined.acceptances.append(claim)
    return hops


def _added(hops: list[Hop]) -> Hop:
    hops.append(Hop())
    return hops[-1]


def _takes_back(hop: Hop, claim: Claim) -> bool:
    return bool(hop.releases) and not hop.acceptances and hop.releases[0].msp == claim.msp


def _is_its_release(hop: Hop, claim: Claim) -> bool:
    """A release said twice, or one whose sender's clock is behind the consignee's."""
    if hop.voided:
        return False
    if not hop.releases:
        accepted = hop.acceptances[0]
        if claim.contradicts(accepted) or not _same_consignee(claim, accepted) or not accepted.fits_sender(claim):
            return False
        return claim.shares_document(accepted) or within_skew(accepted.time, claim.time)
    known = hop.releases[0]
    same = known.msp == claim.msp and known.consignee == claim.consignee and not known.contradicts(claim)
    return same and (not hop.acceptances or known.shares_document(claim))


def _same_consignee(release: Claim, acceptance: Claim) -> bool:
    named = release.consignee is not None and release.consignee == acceptance.consignee
    return named or (release.consignee_msp is not None and release.consignee_msp == acceptance.msp)


def _is_its_acceptance(hop: Hop, claim: Claim) -> bool:
    """What follows a release is its acceptance, whoever made it; one said twice is still one."""
    if hop.voided:
        return False
    if not hop.acceptances:
        return True
    known = hop.acceptances[0]
    return known.msp == claim.msp and known.consignee == claim.consignee and not known.contradicts(claim)


def match_lot(claims: Iterable[Claim]) -> list[Hop]:
    """The handoffs of a lot to one consignee."""
    hops: list[Hop] = []
    for claim in sorted(claims, key=attrgetter("order")):
        _LOT_MATCHERS[claim.kind](hops, claim)
    return hops


def _release_lot(hops: list[Hop], claim: Claim) -> None:
    known = [hop for hop in hops if not hop.voided and _may_meet(hop, claim)]
    unexplained = [hop for hop in known if not hop.releases and _is_announced_by(hop, claim)]
    same_size = [hop for hop in unexplained if hop.accepted == claim.quantity]
    same_shipment = [hop for hop in known if hop.releases and _shares(hop.releases, claim)]
    found = same_size or unexplained or same_shipment
    (found[0] if found else _added(hops)).releases.append(claim)


def _is_announced_by(hop: Hop, claim: Claim) -> bool:
    accepted = hop.acceptances[0]
    return _shares(hop.acceptances, claim) or within_skew(accepted.time, claim.time)


def _receive_lot(hops: list[Hop], claim: Claim) -> None:
    known = [hop for hop in hops if not hop.voided and _may_meet(hop, claim)]
    named = [hop for hop in known if _shares([*hop.releases, *hop.acceptances], claim)]
    waiting = named or [hop for hop in known if hop.releases and _has_room(hop, claim)]
    if not waiting:
        _added(hops).acceptances.append(claim)
    elif claim.quantity is None:
        waiting[0].acceptances.append(claim)
    else:
        _share_out(waiting, claim, claim.quantity)


def _confirm_lot(hops: list[Hop], claim: Claim) -> None:
    """Accepting what was received before; else it is as good as receiving."""
    unconfirmed = [hop for hop in hops if _may_meet(hop, claim) and _awaits_confirmation(hop, claim)]
    if unconfirmed:
        unconfirmed[0].acceptances.append(claim)
    else:
        _receive_lot(hops, claim)


def _awaits_confirmation(hop: Hop, claim: Claim) -> bool:
    received = [one for one in hop.acceptances if one.kind == "receive" and one.msp == claim.msp]
    confirmed = [one for one in hop.acceptances if one.kind == "accept"]
    return bool(received) and (_sum(confirmed) or _NOTHING) + (claim.quantity or _NOTHING) <= (
        _sum(received) or _NOTHING
    )


def _void_lot(hops: list[Hop], claim: Claim) -> None:
    own = [hop for hop in hops if hop.releases and not hop.voided and hop.releases[0].msp == claim.msp]
    open_ones = [hop for hop in own if not hop.acceptances and _may_meet(hop, claim)]
    named = [hop for hop in open_ones if _shares(hop.releases, claim)]
    found = named or open_ones
    if found:
        found[-1].voids.append(claim)


def _may_meet(hop: Hop, claim: Claim) -> bool:
    others = [*hop.releases, *hop.acceptances]
    return all(one.fits_sender(claim) and not one.contradicts(claim) for one in others)


def _shares(claims: Iterable[Claim], claim: Claim) -> bool:
    return any(one.shares_document(claim) for one in claims)


def _has_room(hop: Hop, claim: Claim) -> bool:
    return hop.missing > 0 or not hop.acceptances


def _share_out(waiting: list[Hop], claim: Claim, quantity: Decimal) -> None:
    """Fill one release after the other; what is left over is too much of the last."""
    exact = [hop for hop in waiting if hop.missing == quantity]
    if exact:
        exact[0].acceptances.append(claim)
        return
    for hop in waiting[:-1]:
        part = min(quantity, max(hop.missing, _NOTHING))
        if part > 0:
            hop.acceptances.append(claim.part(part))
            quantity -= part
    if quantity > 0 or not any(claim.event == one.event for hop in waiting for one in hop.acceptances):
        waiting[-1].acceptances.append(claim.part(quantity))


_LOT_MATCHERS: dict[str, Callable[[list[Hop], Claim], None]] = {
    "release": _release_lot,
    "receive": _receive_lot,
    "accept": _confirm_lot,
    "void": _void_lot,
}
