"""What is registered: parties, places and devices, as the ledger keeps them.

Only a registration gives an organisation a party or a place. The first version also gave one to whoever named it first (``adopted``):
such records say nothing any more, and whoever registers overwrites them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeGuard

from chaincode.state import Record

_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassignment:
    """An administrator's decision that something belongs to another organisation than the one that registered it."""

    by: str
    """The administrator's organisation."""
    of: str
    """Whose it was."""
    at: str
    """When, in UTC."""

    def to_record(self) -> Record:
        """As part of the record that it changed."""
        return {"by": self.by, "from": self.of, "at": self.at}

    @classmethod
    def from_record(cls, record: Record | None) -> Self | None:
        """Back from the ledger; None if nobody decided anything."""
        return None if record is None else cls(by=record["by"], of=record["from"], at=record["at"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party and the organisation that speaks for it."""

    id: str
    msp: str
    name: str | None = None
    more: Record = field(default_factory=dict)
    """``country``, ``address``, ``kind`` and ``provenance``, where they are given."""
    reassigned: Reassignment | None = None

    def to_record(self) -> Record:
        """As the ledger keeps it."""
        said = {"v": _VERSION, "id": self.id, "msp": self.msp, "name": self.name, **self.more}
        return _with(said, self.reassigned)

    @classmethod
    def from_record(cls, record: Record | None) -> Self | None:
        """Back from the ledger; None where nobody has registered it."""
        if not is_registered(record):
            return None
        said = dict(record)
        return cls(**_common(said), name=said.pop("name", None), more=said)

    def given_to(self, msp: str, decided: Reassignment) -> Self:
        """The same of another organisation."""
        return replace(self, msp=msp, reassigned=decided)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place, the party that runs it, and that party's organisation."""

    id: str
    msp: str
    party: str | None
    signed: bool = False
    """Whether what happens here must be signed by a device."""
    name: str | None = None
    kind: str | None = None
    address: str | None = None
    latitude: float | int | None = None
    longitude: float | int | None = None
    more: Record = field(default_factory=dict)
    """``country`` and ``provenance``, where they are given."""
    reassigned: Reassignment | None = None

    def to_record(self) -> Record:
        """As the ledger keeps it."""
        said = {
            "v": _VERSION,
            "id": self.id,
            "msp": self.msp,
            "party": self.party,
            "name": self.name,
            "kind": self.kind,
        }
        said |= {"address": self.address, "latitude": self.latitude, "longitude": self.longitude, **self.more}
        if self.signed:
            said["signed"] = True
        return _with(said, self.reassigned)

    @classmethod
    def from_record(cls, record: Record | None) -> Self | None:
        """Back from the ledger; None where nobody has registered it."""
        if not is_registered(record):
            return None
        said = dict(record)
        common = _common(said)
        own: dict[str, Any] = {"signed": bool(said.pop("signed", False))}
        own |= {name: said.pop(name, None) for name in ("party", "name", "kind", "address", "latitude", "longitude")}
        return cls(**common, **own, more=said)

    def given_to(self, msp: str, party: str | None, decided: Reassignment) -> Self:
        """The same of another organisation's party."""
        return replace(self, msp=msp, party=party, reassigned=decided)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that a device had before."""

    algorithm: str
    public_key: str
    until: str
    """When, in UTC, another took its place."""
    since: str | None = None
    status: str = "active"
    """Of the device, at that time."""

    def to_record(self) -> Record:
        """As part of its device's record."""
        said = {"algorithm": self.algorithm, "publicKey": self.public_key, "since": self.since}
        return {**said, "until": self.until, "status": self.status}

    @classmethod
    def from_record(cls, said: Record) -> Self:
        """Back from the ledger."""
        return cls(
            algorithm=said["algorithm"],
            public_key=said["publicKey"],
            until=said["until"],
            since=said["since"],
            status=said["status"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A device's signatures are refused: from a moment on, or all that come."""

    at: str
    """When, in UTC, it was revoked."""
    since: str | None
    """When, in UTC, it was lost: what it signed before is its own. None: nobody knows."""
    counter: int
    """How far it had counted by what had arrived."""
    why: str | None = None

    def to_record(self) -> Record:
        """As part of its device's record."""
        return {"at": self.at, "since": self.since, "counter": self.counter, "why": self.why}

    @classmethod
    def from_record(cls, record: Record | None) -> Self | None:
        """Back from the ledger; None for a device that was not revoked, or by an earlier version, which kept the status only."""
        return None if record is None else cls(**record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A reading device, and the key that checks its signatures."""

    id: str
    msp: str
    party: str
    algorithm: str
    public_key: str
    name: str | None = None
    status: str = "active"
    reassigned: Reassignment | None = None
    chained: bool = False
    """Whether it signs in a chain from its first event."""
    place: str | None = None
    """The place it was enrolled for."""
    since: str | None = None
    """When, in UTC, its key was registered."""
    succeeds: str | None = None
    """The device whose key named this one its successor."""
    revocation: Revocation | None = None
    before: tuple[Key, ...] = ()
    """The keys it had before, the oldest first."""

    def to_record(self) -> Record:
        """As the ledger keeps it."""
        said = {"v": _VERSION, "id": self.id, "msp": self.msp, "party": self.party, "algorithm": self.algorithm}
        said |= {"publicKey": self.public_key, "name": self.name, "status": self.status}
        more = {"place": self.place, "since": self.since, "succeeds": self.succeeds, "chained": self.chained or None}
        said |= {name: value for name, value in more.items() if value is not None}
        if self.revocation is not None:
            said["revocation"] = self.revocation.to_record()
        if self.before:
            said["before"] = [key.to_record() for key in self.before]
        return _with(said, self.reassigned)

    @classmethod
    def from_record(cls, record: Record | None) -> Self | None:
        """Back from the ledger; None where nobody has registered it."""
        if record is None:
            return None
        said = dict(record)
        common, key = _common(said), said.pop("publicKey")
        revocation = Revocation.from_record(said.pop("revocation", None))
        before = tuple(Key.from_record(one) for one in said.pop("before", ()))
        return cls(**common, **said, public_key=key, revocation=revocation, before=before)

    def has_had(self, public_key: str) -> bool:
        """Whether this key is or was its own."""
        return public_key in (self.public_key, *(key.public_key for key in self.before))

    def history(self, at: str) -> tuple[Key, ...]:
        """Its keys, as they are to be kept when another takes the place of the present one."""
        last = Key(algorithm=self.algorithm, public_key=self.public_key, until=at, since=self.since, status=self.status)
        return (*self.before, last)

    def revoked(self, revocation: Revocation | None = None) -> Self:
        """The same, whose signatures are refused."""
        return replace(self, status="revoked", revocation=revocation)

    def given_to(self, msp: str, decided: Reassignment) -> Self:
        """The same of another organisation, revoked: the key in it is the other's, until this one registers its own."""
        return replace(self.revoked(self.revocation), msp=msp, reassigned=decided)


def is_registered(record: Record | None) -> TypeGuard[Record]:
    """Whether somebody has registered what a record is about; what the first version adopted from an event, nobody has."""
    return record is not None and not record.get("adopted")


def _common(said: Record) -> dict[str, Any]:
    """Takes out what the records of all three have in common."""
    said.pop("v", None)
    said.pop("adopted", None)
    return {
        "id": said.pop("id"),
        "msp": said.pop("msp"),
        "reassigned": Reassignment.from_record(said.pop("reassigned", None)),
    }


def _with(said: Record, reassigned: Reassignment | None) -> Record:
    return said if reassigned is None else {**said, "reassigned": reassigned.to_record()}
