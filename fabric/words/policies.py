"""Policies: whose signatures are enough.

Source of the rules: fabric ``common/cauthdsl/cauthdsl.go`` (signature policies), ``common/policies/implicitmeta.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from fabric_protos.common import configtx_pb2, policies_pb2
from fabric_protos.msp import msp_principal_pb2
from google.protobuf.message import DecodeError

from fabric.words.membership import Member

Signers = Mapping[bytes, Member]
"""Who has signed, by serialised identity: each counts once."""
_Principal = msp_principal_pb2.MSPPrincipal
_Role = msp_principal_pb2.MSPRole
_Meta = policies_pb2.ImplicitMetaPolicy


class Policy(Protocol):
    """Something that signatures can be enough for. As text it says what it asks for."""

    def met_by(self, signers: Signers) -> bool: ...


class SignaturePolicy:
    """So many of certain signers. Raises DecodeError or ValueError for bytes that say nothing of the kind."""

    def __init__(self, raw: bytes) -> None:
        envelope = policies_pb2.SignaturePolicyEnvelope.FromString(raw)
        if envelope.version or not envelope.HasField("rule"):
            raise ValueError("is not a signature policy")
        self._rule = envelope.rule
        self._principals = [_Signer(principal) for principal in envelope.identities]
        self._check(self._rule)

    def _check(self, rule: policies_pb2.SignaturePolicy) -> None:
        if rule.WhichOneof("Type") == "n_out_of":
            for part in rule.n_out_of.rules:
                self._check(part)
        elif rule.WhichOneof("Type") != "signed_by" or not 0 <= rule.signed_by < len(self._principals):
            raise ValueError("asks for a signer that it does not name")

    def met_by(self, signers: Signers) -> bool:
        """Whether they are enough; nobody stands for two of those that are asked for."""
        return self._met(self._rule, signers, set())

    def _met(self, rule: policies_pb2.SignaturePolicy, signers: Signers, used: set[bytes]) -> bool:
        if rule.WhichOneof("Type") == "signed_by":
            wanted = self._principals[rule.signed_by]
            found = next((who for who in signers if who not in used and wanted.is_(who, signers[who])), None)
            if found is not None:
                used.add(found)
            return found is not None
        count = 0
        for part in rule.n_out_of.rules:
            tried = set(used)
            if self._met(part, signers, tried):
                used |= tried
                count += 1
        return bool(count >= rule.n_out_of.n)

    def __str__(self) -> str:
        return self._text(self._rule)

    def _text(self, rule: policies_pb2.SignaturePolicy) -> str:
        if rule.WhichOneof("Type") == "signed_by":
            return str(self._principals[rule.signed_by])
        return f"{rule.n_out_of.n} of ({', '.join(self._text(part) for part in rule.n_out_of.rules)})"


class _Signer:
    """One of those whom a signature policy names: a role in an organisation, or one identity."""

    def __init__(self, principal: msp_principal_pb2.MSPPrincipal) -> None:
        kind = principal.principal_classification
        self._identity = principal.principal if kind == _Principal.IDENTITY else None
        self._role = _Role.FromString(principal.principal) if kind == _Principal.ROLE else None

    def is_(self, identity: bytes, member: Member) -> bool:
        if self._role is None:  # units of organisations and anonymous signers: not used by Fabric's endorsers
            return identity == self._identity
        unit = _Role.MSPRoleType.Name(self._role.role).lower()
        return member.msp_id == self._role.msp_identifier and unit in ("member", member.unit)

    def __str__(self) -> str:
        if self._role is None:
            return "somebody else"
        return f"{self._role.msp_identifier}.{_Role.MSPRoleType.Name(self._role.role).lower()}"


class ImplicitPolicy:
    """So many of the policies of the groups below."""

    def __init__(self, needed: int, parts: list[Policy]) -> None:
        self._needed = needed
        self._parts = parts

    def met_by(self, signers: Signers) -> bool:
        return sum(part.met_by(signers) for part in self._parts) >= self._needed

    def __str__(self) -> str:
        return f"{self._needed} of {len(self._parts)} organisations"


class NoPolicy:
    """What stands where a policy is missing or cannot be read: nothing is enough for it."""

    def __init__(self, said: str = "a policy that is not there or can't be read") -> None:
        self._said = said

    def met_by(self, signers: Signers) -> bool:
        return False

    def __str__(self) -> str:
        return self._said


@lru_cache(maxsize=4096)
def signature_policy(raw: bytes) -> Policy:
    """The policy in a serialised SignaturePolicyEnvelope."""
    try:
        return SignaturePolicy(raw)
    except (DecodeError, ValueError):
        return NoPolicy()


def channel_policy(group: configtx_pb2.ConfigGroup, path: str) -> Policy:
    """The policy of a channel's configuration at a path such as ``/Channel/Application/Endorsement``."""
    _, _, *names, last = path.split("/") if path.count("/") > 1 else ("", "", "")
    for name in names:
        if name not in group.groups:
            return NoPolicy()
        group = group.groups[name]
    return _policy_in(group, last)


def _policy_in(group: configtx_pb2.ConfigGroup, name: str) -> Policy:
    if name not in group.policies:
        return NoPolicy()
    policy = group.policies[name].policy
    if policy.type == policies_pb2.Policy.SIGNATURE:
        return signature_policy(policy.value)
    if policy.type != policies_pb2.Policy.IMPLICIT_META:
        return NoPolicy()
    meta = _Meta.FromString(policy.value)
    parts = [_policy_in(below, meta.sub_policy) for below in group.groups.values()]
    needed = {_Meta.ANY: 1, _Meta.ALL: len(parts), _Meta.MAJORITY: len(parts) // 2 + 1}[meta.rule]
    return ImplicitPolicy(needed if parts else 0, parts)
