"""Endorsement policies of single keys, as Fabric's peers read them.

A key that has one is changed by the peers it names, whatever the chaincode's own policy (a majority) says: it takes
that policy's place for this key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"
"""The name under which a key's metadata holds its own endorsement policy."""


def all_of(msps: Iterable[str]) -> bytes:
    """A serialised SignaturePolicyEnvelope that asks for a peer of each organisation. Raises ValueError for none: a
    policy that names nobody would be met by anybody."""
    named = sorted(set(msps))
    if not named:
        raise ValueError("a policy names at least one organisation")
    rules = [policies_pb2.SignaturePolicy(signed_by=number) for number in range(len(named))]
    every = policies_pb2.SignaturePolicy(n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=len(named), rules=rules))
    envelope = policies_pb2.SignaturePolicyEnvelope(rule=every, identities=[_peer_of(msp) for msp in named])
    return bytes(envelope.SerializeToString(deterministic=True))


def endorsed_as(record: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the records of one protected thing or lot have in common: ``endorsers``. Nothing for all others."""
    return {"endorsers": record["endorsers"]} if record is not None and "endorsers" in record else {}


def _peer_of(msp: str) -> msp_principal_pb2.MSPPrincipal:
    role = msp_principal_pb2.MSPRole(msp_identifier=msp, role=msp_principal_pb2.MSPRole.PEER)
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
        principal=role.SerializeToString(deterministic=True),
    )
