"""What a transaction must be by itself, before anybody looks at versions of keys.

Source of the rules: fabric ``core/common/validation/msgvalidation.go`` (headers, signatures, hashes) and
``core/committer/txvalidator/v20/plugindispatcher/dispatcher.go`` (chaincode, event, namespaces).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.peer import chaincode_event_pb2, proposal_pb2
from google.protobuf.message import DecodeError

from fabric.verify.definitions import LIFECYCLE, Definitions
from fabric.verify.endorsement import EndorsementRules
from fabric.verify.replay import Effects
from fabric.words import keys
from fabric.words.channel import ChannelConfig
from fabric.words.membership import Member, Membership, NotAMemberError
from fabric.words.proposal import proposal_hash, transaction_id
from fabric.words.transaction import Endorsed, open_envelope

Fault = tuple[str, str]
"""A rule's name, and how it is broken."""
_REFUSED = 400
"""From this status on, a peer does not endorse what its chaincode answers."""


@dataclass(frozen=True)
class InForce:
    """What a transaction is held to: of the channel, and of the ledger before the current block."""

    config: ChannelConfig
    members: Membership
    definitions: Definitions
    endorsements: EndorsementRules


def signer(members: Membership, creator: bytes, message: bytes, signature: bytes) -> Member | None:
    """Who signed; None if the identity is none of theirs, or the signature is wrong or has the larger s."""
    try:
        member = members.member(creator)
        keys.verify(member.public_key, message, signature)
    except (NotAMemberError, InvalidSignature, ValueError):
        return None
    return member


def claimed_id(raw: bytes) -> str | None:
    """The id under which a peer's index has an envelope, be it what it may; None if it has none."""
    try:
        payload, channel = open_envelope(common_pb2.Envelope.FromString(raw))
        if channel.tx_id:
            return str(channel.tx_id)
        signature = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
    except DecodeError:
        return None
    return transaction_id(signature.nonce, signature.creator) if signature.nonce and signature.creator else None


class Checked:
    """An endorser transaction taken apart for checking. Raises DecodeError or ValueError if it isn't one."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._envelope = common_pb2.Envelope.FromString(raw)
        payload, self._channel = open_envelope(self._envelope)
        self._header = payload.header
        if self._channel.type != common_pb2.ENDORSER_TRANSACTION:
            raise ValueError(f"its type is {self._channel.type}")
        self._signature = common_pb2.SignatureHeader.FromString(self._header.signature_header)
        self._parts = Endorsed.read(payload.data)
        self._extension = proposal_pb2.ChaincodeHeaderExtension.FromString(self._channel.extension)
        self._call = self._parts.call()
        results = rwset_pb2.TxReadWriteSet.FromString(self._parts.result.results)
        self._namespaces = [entry.namespace for entry in results.ns_rwset]
        self.tx_id: str = self._channel.tx_id
        self.effects = Effects.of(results)

    def fault(self, rules: InForce) -> Fault | None:
        """The first rule of those that peers look at when they commit, and how it is broken."""
        return self._malformed(rules) or self._dispatched(rules) or self._endorsed(rules)

    def oddity(self, rules: InForce) -> Fault | None:
        """What no peer would have endorsed and no orderer taken, although those who commit do not look again."""
        status = self._parts.result.response.status
        if not 0 < status < _REFUSED:
            return "response", f"the chaincode answered {status}, which is not endorsed"
        called = self._call.chaincode_id.name
        if called and called != self._chaincode:
            return "chaincode", f"the header names {self._chaincode}, the call {called}"
        return self._other_version(rules.definitions)

    @property
    def _chaincode(self) -> str:
        return str(self._extension.chaincode_id.name)

    def _malformed(self, rules: InForce) -> Fault | None:
        signature, header, action = self._signature, self._header, self._parts.action
        if self._envelope.SerializeToString(deterministic=True) != self._raw:
            return "envelope", "it holds bytes that no message accounts for"
        if self._channel.epoch or not signature.nonce:
            return "header", "its epoch is not 0, or it has no nonce"
        if self._channel.channel_id != rules.config.channel:
            return "channel", f"it is a transaction of the channel {self._channel.channel_id!r}"
        if signer(rules.members, signature.creator, self._envelope.payload, self._envelope.signature) is None:
            return "creator_signature", "it is not signed by a member of the channel"
        if self.tx_id != transaction_id(signature.nonce, signature.creator):
            return "tx_id", "its id is not the hash of nonce and creator"
        if action.header != header.signature_header:
            return "action_header", "the action names another submitter than the envelope"
        asked = proposal_hash(header.channel_header, action.header, self._parts.body.chaincode_proposal_payload)
        if asked != self._parts.answer.proposal_hash:
            return "proposal_hash", "the endorsed answer belongs to another proposal"
        return None

    def _dispatched(self, rules: InForce) -> Fault | None:
        name, answered = self._chaincode, self._parts.result.chaincode_id
        if not name or name != answered.name:
            return "chaincode", f"the header names {name!r}, those who endorsed it {answered.name!r}"
        if self._parts.result.events:
            event = chaincode_event_pb2.ChaincodeEvent.FromString(self._parts.result.events)
            if event.chaincode_id != name:
                return "chaincode", f"its event is of {event.chaincode_id!r}"
        twice = [space for space, count in Counter(self._namespaces).items() if count > 1]
        if twice:
            return "namespace", f"{', '.join(sorted(twice))} occurs more than once in what it read and wrote"
        return self._undefined(rules) if rules.config.has_lifecycle else None

    def _undefined(self, rules: InForce) -> Fault | None:
        if not self._parts.result.chaincode_id.version:
            return "chaincode", "those who endorsed it name no version"
        for namespace in sorted({self._chaincode, *self.effects.written()} - {LIFECYCLE}):
            if rules.definitions.version(namespace) is None:
                return "chaincode", f"{namespace} is not defined on the channel"
        return None

    def _other_version(self, definitions: Definitions) -> Fault | None:
        """Who endorses reads the definition, so that a change of it makes the transaction stale."""
        said, defined = self._parts.result.chaincode_id.version, definitions.version(self._chaincode)
        if defined in (None, said):
            return None
        return "version", f"those who endorsed it ran version {said!r}, the channel's definition says {defined!r}"

    def _endorsed(self, rules: InForce) -> Fault | None:
        """A signature that fails is told too, also where the others are enough."""
        action = self._parts.body.action
        signers: dict[bytes, Member] = {}
        for item in action.endorsements:
            signed = action.proposal_response_payload + item.endorser
            peer = signer(rules.members, item.endorser, signed, item.signature)
            if peer is None or peer.unit != "peer":
                return "endorsement", "an endorsement is not the signature of a peer of the channel"
            signers[item.endorser] = peer
        lacking = rules.endorsements.fault(self._chaincode, self.effects, signers)
        return None if lacking is None else ("endorsement_policy", lacking)
