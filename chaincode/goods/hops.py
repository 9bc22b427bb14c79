"""An instance's handoff as its fold sees it: it is in one place at a time, so only the latest one can still be answered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from chaincode.claims import DOCUMENTS, Claim, within_skew
from chaincode.handoffs import INSTANCE, instance_name, name
from chaincode.state import Record

_MOST = 64
"""Events that a handoff's record lists of each kind; what is said again more often is the same handoff."""

Faults = dict[str, str]


@dataclass(slots=True)
class Hop:
    """One handoff: the first release, the first acceptance, and the events of all that said so too."""

    release: Claim | None = None
    acceptance: Claim | None = None
    releases: list[str] = field(default_factory=list)
    acceptances: list[str] = field(default_factory=list)
    voids: list[str] = field(default_factory=list)
    damaged: bool = False
    counted: bool = False
    """Several things of its shipment were received together, or it was received by the shipment's document."""
    short: bool = False
    """Others of its shipment were counted on arrival."""
    idle: bool = False
    """Accepted by who had it anyway: nothing changed hands."""
    robbed: str | None = None
    """Who held it when it was released, where that was not who released it."""
    known_as: str | None = None
    """Its id, where the first version gave it one."""

    def copy(self) -> Hop:
        """With lists of its own."""
        return replace(self, releases=[*self.releases], acceptances=[*self.acceptances], voids=[*self.voids])

    @property
    def voided(self) -> bool:
        """Whether the sender has taken the release back."""
        return bool(self.voids) and self.acceptance is None

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.voided or self.idle or (self.release is not None and self.acceptance is not None)

    @property
    def awaited(self) -> bool:
        """Whether it was released and has not arrived."""
        return self.release is not None and self.acceptance is None and not self.voids

    def identifier(self, item: str) -> str:
        """Its id: the item's, and the event that it began with."""
        if self.known_as is not None:
            return self.known_as
        first = self.release or self.acceptance
        assert first is not None
        return f"{instance_name(item)}-{first.event.partition(';')[2][:12]}"

    # --- what belongs to it

    def is_released_by(self, claim: Claim) -> bool:
        """A release said twice, or one whose sender's clock is behind the consignee's."""
        if self.voided:
            return False
        known, accepted = self.release, self.acceptance
        if known is None:
            assert accepted is not None
            if claim.contradicts(accepted) or not _same_consignee(claim, accepted) or not accepted.fits_sender(claim):
                return False
            return claim.shares_document(accepted) or within_skew(accepted.time, claim.time)
        same = known.msp == claim.msp and known.consignee == claim.consignee and not known.contradicts(claim)
        return same and (accepted is None or known.shares_document(claim))

    def is_for(self, msp: str) -> bool:
        """Whether it was released to an organisation, as far as anybody knows."""
        return self.release is None or self.release.consignee_msp in (None, msp)

    def is_answered_by(self, claim: Claim) -> bool:
        """What follows a release is its acceptance, whoever made it; one said twice is still one."""
        if self.voided:
            return False
        known = self.acceptance
        if known is None:
            return True
        return known.msp == claim.msp and known.consignee == claim.consignee and not known.contradicts(claim)

    def is_taken_back_by(self, msp: str) -> bool:
        """Only who released takes it back, and only what has not arrived."""
        return self.release is not None and self.acceptance is None and self.release.msp == msp

    def add(self, claim: Claim) -> None:
        """Take a claim in that belongs to it."""
        listed = {"release": self.releases, "void": self.voids}.get(claim.kind, self.acceptances)
        if claim.event not in listed and len(listed) < _MOST:
            listed.append(claim.event)
        if claim.kind == "release":
            self.release = self.release or claim
        elif claim.kind != "void":
            self.acceptance = self.acceptance or claim
            self.damaged = self.damaged or claim.damaged
        if self.release is not None and self.release.count > 1 and claim.kind in ("receive", "accept"):
            self.counted = self.counted or claim.count > 1 or claim.shares_document(self.release)
        elif claim.kind == "release" and self.acceptance is not None and claim.count > 1:
            self.counted = self.acceptance.count > 1 or self.acceptance.shares_document(claim)

    # --- what is written of it

    def faults(self, item: str) -> Faults:
        """What does not add up in it by itself."""
        if self.voided or self.idle:
            return {}
        faults: Faults = {}
        if self.release is None:
            assert self.acceptance is not None
            consignee = name(self.acceptance.consignee)
            faults["unannounced"] = f"{item} was accepted by {consignee}; nobody has released it to them"
        elif self.acceptance is not None:
            faults |= self._wrong_consignee(item)
        if self.robbed is not None and self.release is not None:
            faults["custody"] = f"{self.release.msp} released {item}, which {self.robbed} held"
        return faults

    def _wrong_consignee(self, item: str) -> Faults:
        release, acceptance = self.release, self.acceptance
        assert release is not None
        assert acceptance is not None
        meant, got = release.consignee, acceptance.consignee
        if meant is None or got is None or meant == got or release.consignee_msp == acceptance.msp:
            return {}
        return {"wrong_consignee": f"{item} was released to {meant}, and accepted by {got}"}

    def status(self, faults: Faults) -> str:
        """``released``, ``accepted``, ``complete``, ``disputed`` or ``void``."""
        if self.voided:
            return "void"
        if self.acceptance is None:
            return "disputed" if "undelivered" in faults else "released"
        if self.release is None:
            return "accepted"
        return "disputed" if faults.keys() - {"custody"} else "complete"

    def record(self, item: str, faults: Faults) -> Record:
        """The handoff as JSON (docs/contract.md)."""
        release, acceptance = self.release, self.acceptance
        moved = not self.voided
        return {
            "v": 2,
            "id": self.identifier(item),
            "item": item,
            "kind": INSTANCE,
            "status": self.status(faults),
            "from": _of(release, "sender") if release is not None else _of(acceptance, "sender"),
            "to": _of(release, "consignee") or _of(acceptance, "consignee"),
            "acceptedBy": _of(acceptance, "consignee"),
            "fromPlace": _of(release, "place"),
            "toPlace": _of(acceptance, "place") or _of(release, "to_place"),
            "fromMsp": _of(release, "msp"),
            "toMsp": _of(acceptance, "msp") or _of(release, "consignee_msp"),
            "reference": self._reference(),
            "released": None,
            "accepted": None,
            "uom": None,
            "releaseEvents": list(self.releases),
            "acceptEvents": list(self.acceptances),
            "voidEvents": list(self.voids),
            "releasedAt": _of(release, "time") if moved else None,
            "acceptedAt": _of(acceptance, "time") if moved else None,
            "promisedAt": _of(release, "promised") if moved else None,
            "faults": sorted(faults),
        }

    def _reference(self) -> Record | None:
        found = [
            document for claim in (self.release, self.acceptance) if claim is not None for document in claim.documents
        ]
        if not found:
            return None
        kind, value = min(found, key=best_first)
        return {"type": kind, "id": value}

    def parties(self) -> list[str]:
        """Whom it concerns."""
        claims = [claim for claim in (self.release, self.acceptance) if claim is not None]
        return sorted({party for claim in claims for party in (claim.sender, claim.consignee) if party is not None})

    # --- as JSON, in the base of a history

    def to_record(self) -> Record:
        """What is not said is left out."""
        record: Record = {}
        for key, claim in (("release", self.release), ("acceptance", self.acceptance)):
            if claim is not None:
                record[key] = claim.to_record()
        for key in ("releases", "acceptances", "voids", "damaged", "counted", "short", "idle", "robbed", "known_as"):
            if value := getattr(self, key):
                record[key] = value
        return record

    @classmethod
    def from_record(cls, record: Record) -> Hop:
        """Back from JSON."""
        said: dict[str, Any] = dict(record)
        for key in ("release", "acceptance"):
            if key in said:
                said[key] = Claim.from_record(said[key])
        for key in ("releases", "acceptances", "voids"):
            said[key] = list(said.get(key, ()))
        return cls(**said)


def best_first(document: tuple[str, str]) -> tuple[int, str]:
    """Documents that name a shipment best come first."""
    return DOCUMENTS.index(document[0]), document[1]


def _same_consignee(release: Claim, acceptance: Claim) -> bool:
    named = release.consignee is not None and release.consignee == acceptance.consignee
    return named or (release.consignee_msp is not None and release.consignee_msp == acceptance.msp)


def _of(claim: Claim | None, attribute: str) -> Any:
    return getattr(claim, attribute) if claim is not None else None
