"""Endorsement policies of single keys, as Fabric's peers read them.

A key that has one is changed by the peers it names, whatever the chaincode's own policy (a majority) says: it takes
that policy's place for this key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"
"""The name under which a key's metadata holds its own endorsement policy."""
MOST_GUARDIANS = 7
"""A peer's discovery weighs every majority of the guardians beside every majority of the channel, for each transaction."""
_Rule = policies_pb2.SignaturePolicy


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
        return _any_of(ways)


def all_of(msps: Iterable[str]) -> bytes:
    """A serialised SignaturePolicyEnvelope that asks for a peer of each organisation. Raises ValueError for none."""
    return Protection(tuple(sorted(set(msps)))).policy()


def endorsed_as(record: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the records of one protected thing or lot have in common. Nothing for all others."""
    said = Protection.from_record(record)
    return {} if said is None else said.to_record()


def _any_of(ways: list[tuple[int, set[str]]]) -> bytes:
    """A policy that is met in any of these ways: so many of those organisations' peers."""
    if not ways:
        raise ValueError("a policy names at least one organisation")
    named = sorted({msp for _, msps in ways for msp in msps})
    rules = [_out_of(count, [named.index(msp) for msp in sorted(msps)]) for count, msps in ways]
    rule = rules[0] if len(rules) == 1 else _Rule(n_out_of=_Rule.NOutOf(n=1, rules=rules))
    envelope = policies_pb2.SignaturePolicyEnvelope(rule=rule, identities=[_peer_of(msp) for msp in named])
    return bytes(envelope.SerializeToString(deterministic=True))


def _out_of(count: int, signers: list[int]) -> policies_pb2.SignaturePolicy:
    return _Rule(n_out_of=_Rule.NOutOf(n=count, rules=[_Rule(signed_by=signer) for signer in signers]))


def _peer_of(msp: str) -> msp_principal_pb2.MSPPrincipal:
    role = msp_principal_pb2.MSPRole(msp_identifier=msp, role=msp_principal_pb2.MSPRole.PEER)
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
        principal=role.SerializeToString(deterministic=True),
    )
