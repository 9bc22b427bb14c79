"""Which endorsement policies a transaction must meet: a key's own, else its collection's, else the chaincode's.

Source of the rules: fabric ``core/common/validation/statebased``, ``core/chaincode/lifecycle``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from fabric_protos.peer import policy_pb2
from google.protobuf.message import DecodeError

from fabric.verify.definitions import LIFECYCLE, Definitions
from fabric.verify.keyspace import KeySpace
from fabric.verify.replay import OWN_COLLECTION, Effects, Replay
from fabric.words.channel import ChannelConfig
from fabric.words.policies import NoPolicy, Policy, Signers, signature_policy

_DEFAULT = "/Channel/Application/Endorsement"
_LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"


class EndorsementRules:
    """The policies in force: those of a configuration, and those on the ledger before the current block."""

    def __init__(self, config: ChannelConfig, definitions: Definitions, replay: Replay) -> None:
        self._config = config
        self._replay = replay
        self._definitions = definitions

    def fault(self, chaincode: str, effects: Effects, signers: Signers) -> str | None:
        """What the endorsements of a call of ``chaincode`` lack; None if they are enough."""
        for namespace in sorted({chaincode, *effects.written()}):
            asked = False
            for what, policy in self._asked(namespace, effects):
                if not policy.met_by(signers):
                    return _lacking(what, policy, signers)
                asked = True
            if not asked and not self.chaincode_policy(namespace).met_by(signers):
                return _lacking(namespace, self.chaincode_policy(namespace), signers)
        return None

    def _asked(self, namespace: str, effects: Effects) -> Iterator[tuple[str, Policy]]:
        """The policies that what a transaction writes in a namespace must meet, each once, and of what."""
        seen: set[str] = set()
        public = self._replay.public
        keys = (key for key in effects.public_keys() if key[0] == namespace)
        asking = list(islice(keys, 1 if public.is_plain else None))  # where all ask for the same, the first one tells
        public.load(asking)
        for key in asking:
            yield from self._of_key(public, key, "", seen)
        for hashed in effects.hashed_keys():
            if hashed[0] == namespace:
                yield from self._of_key(self._replay.hashed, hashed, hashed[1], seen)

    def _of_key(
        self, space: KeySpace, key: tuple[Any, ...], collection: str, seen: set[str]
    ) -> Iterator[tuple[str, Policy]]:
        if space.has_new_policy(key):
            yield _readable(key[-1]), NoPolicy("another block, as this one has changed its policy before")
        elif policy := space.policy(key):
            yield _readable(key[-1]), signature_policy(policy)
        elif collection not in seen:
            seen.add(collection)
            yield f"{key[0]} {collection}".strip(), self._policy_of_all(key[0], collection)

    def _policy_of_all(self, namespace: str, collection: str) -> Policy:
        """Of a collection's keys, or (without one) of the public keys."""
        if collection.startswith(OWN_COLLECTION):
            return self._config.organisation_policy(collection.removeprefix(OWN_COLLECTION))
        own = self._collection_policy(namespace, collection) if collection else None
        return own or self.chaincode_policy(namespace)

    def chaincode_policy(self, namespace: str) -> Policy:
        """The policy that was committed with a chaincode's definition; the channel's default where there is none, as on
        the embedded ledger."""
        if namespace == LIFECYCLE:
            return self._config.policy(_LIFECYCLE_POLICY)
        try:
            defined = self._definitions.policy(namespace)
        except DecodeError:
            return NoPolicy()
        return self._config.policy(_DEFAULT) if defined is None else self._applied(defined)

    def _collection_policy(self, namespace: str, collection: str) -> Policy | None:
        """The endorsement policy that was committed with a shared collection, if it has one."""
        try:
            own = self._definitions.collection_policy(namespace, collection)
        except DecodeError:
            return NoPolicy()
        return None if own is None else self._applied(own)

    def _applied(self, policy: policy_pb2.ApplicationPolicy) -> Policy:
        if policy.WhichOneof("Type") == "signature_policy":
            return signature_policy(policy.signature_policy.SerializeToString())
        return self._config.policy(policy.channel_config_policy_reference)


def _lacking(what: str, policy: Policy, signers: Signers) -> str:
    by = ", ".join(sorted({member.msp_id for member in signers.values()})) or "nobody"
    return f"{what} asks for {policy}; endorsed by {by}"


def _readable(key: str | bytes) -> str:
    """A composite key's parts; a private key's hash."""
    return key.hex() if isinstance(key, bytes) else " ".join(part for part in key.split("\x00") if part)
