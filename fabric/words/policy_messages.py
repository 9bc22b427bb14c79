"""Signature policies as messages: so many of certain organisations' members. ``policies`` says whether one is met."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"
"""The name under which a key's metadata holds its own endorsement policy."""
_Rule = policies_pb2.SignaturePolicy
Role = msp_principal_pb2.MSPRole


def any_of(ways: Sequence[tuple[int, Collection[str]]], role: int = Role.PEER) -> policies_pb2.SignaturePolicyEnvelope:
    """A policy that is met in any of these ways: by so many of those organisations, with somebody of that role each.

    Raises ValueError without any way: it would be met by nobody.

    >>> from fabric.words.policies import SignaturePolicy
    >>> print(SignaturePolicy(any_of([(1, ["Org1MSP"]), (2, ["Org2MSP", "Org3MSP"])]).SerializeToString()))
    1 of (1 of (Org1MSP.peer), 2 of (Org2MSP.peer, Org3MSP.peer))
    """
    if not ways:
        raise ValueError("a policy names at least one organisation")
    named = sorted({msp_id for _, msp_ids in ways for msp_id in msp_ids})
    rules = [_out_of(count, [named.index(msp_id) for msp_id in sorted(msp_ids)]) for count, msp_ids in ways]
    rule = rules[0] if len(rules) == 1 else _Rule(n_out_of=_Rule.NOutOf(n=1, rules=rules))
    return policies_pb2.SignaturePolicyEnvelope(rule=rule, identities=[_principal(msp_id, role) for msp_id in named])


def _out_of(count: int, signers: Sequence[int]) -> policies_pb2.SignaturePolicy:
    return _Rule(n_out_of=_Rule.NOutOf(n=count, rules=[_Rule(signed_by=signer) for signer in signers]))


def _principal(msp_id: str, role: int) -> msp_principal_pb2.MSPPrincipal:
    named = Role(msp_identifier=msp_id, role=role)
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
        principal=named.SerializeToString(deterministic=True),
    )
