"""Endorsement policies of single keys, as Fabric's peers read them.

A key that has one is changed by the peers it names, whatever the chaincode's own policy (a majority) says: it takes
that policy's place for this key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from fabric.words.policy_messages import any_of

MOST_GUARDIANS = 7
"""A peer's discovery weighs every majority of the guardians beside every majority of the channel, for each transaction."""


@dataclass(frozen=True, slots=True)
class Protection:
    """Who must agree to every change of what a record is about; in the records of one protected thing or lot it is the same."""

    endorsers: tuple[str, ...]
    """A peer of each of these …"""
    guardians: tuple[str, ...] = ()
    """… or of a majority of these, so that an organisation that leaves locks nothing for ever."""

    def to_record(self) -> dict[str, Any]:
        """The members of a record that say so."""
        said: dict[str, Any] = {"endorsers": list(self.endorsers)}
        return {**said, "guardians": list(self.guardians)} if self.guardians else said

    @classmethod
    def from_record(cls, record: Mapping[str, Any] | None) -> Self | None:
        """Back from a record; None if nobody has a say in what it is about."""
        if record is None or "endorsers" not in record:
            return None
        return cls(tuple(record["endorsers"]), tuple(record.get("guardians", ())))

    def policy(self) -> bytes:
        """A serialised SignaturePolicyEnvelope. Raises ValueError if nobody is named: it would be met by anybody."""
        endorsers, guardians = set(self.endorsers), set(self.guardians)
        majority = len(guardians) // 2 + 1
        ways = []
        # Where all endorsers together are such a majority, asking for them is no other way; and a way that contains
        # others makes Fabric's discovery lose these.
        if endorsers and (not guardians or len(endorsers & guardians) < majority):
            ways.append((len(endorsers), endorsers))
        if guardians:
            ways.append((majority, guardians))
        return bytes(any_of(ways).SerializeToString(deterministic=True))


def all_of(msps: Iterable[str]) -> bytes:
    """A serialised SignaturePolicyEnvelope that asks for a peer of each organisation. Raises ValueError for none."""
    return Protection(tuple(sorted(set(msps)))).policy()


def endorsed_as(record: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the records of one protected thing or lot have in common. Nothing for all others."""
    said = Protection.from_record(record)
    return {} if said is None else said.to_record()
