"""Is this chain what it says it is? Everything recomputed from the blocks, nothing believed.

    findings = verify_chain(blocks)

Every rule is Fabric's own. Trust starts at block 0, which nobody signs: give its header hash if you have it from
elsewhere. Private data are verified as far as blocks hold them, as hashes. Not covered: certificate revocation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2
from google.protobuf.message import DecodeError

from fabric.verify.endorsement import EndorsementRules
from fabric.verify.replay import VALID, Effects, Replay
from fabric.words import chain, keys
from fabric.words.channel import ChannelConfig, is_config
from fabric.words.membership import Member, Membership, NotAMemberError
from fabric.words.proposal import transaction_id


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be. ``rule`` is a fixed word, ``detail`` is for people."""

    block: int
    transaction: int | None
    rule: str
    detail: str


def verify_chain(blocks: Iterable[common_pb2.Block], genesis_hash: bytes | None = None) -> list[Finding]:
    """All findings in a chain given from block 0 on; none means that every rule holds."""
    verifier = Verifier(genesis_hash)
    return [finding for block in blocks for finding in verifier.add(block)]


class Verifier:
    """Takes blocks in order, from 0 on, and answers with what is wrong with each."""

    def __init__(self, genesis_hash: bytes | None = None) -> None:
        self._genesis_hash = genesis_hash
        self._next = 0
        self._previous = b""
        self._commit_hash = b""
        self._config_block = 0
        self._members = Membership({})
        self._orderers = Membership({})
        self._consenters: Mapping[int, bytes] = {}
        self._quorum = 1
        self._replay = Replay()
        self._rules = EndorsementRules(ChannelConfig("", {}, {}, {}), self._replay)
        self._findings: list[Finding] = []

    def add(self, block: common_pb2.Block) -> list[Finding]:
        """What is wrong with the next block. A broken block does not hide what follows it."""
        self._findings = []
        number = block.header.number
        try:
            self._header(block)
            self._orderer(block)
            self._transactions(block)
        except (DecodeError, ValueError, IndexError) as error:
            self._report(number, None, "malformed", f"the block cannot be read: {error}")
        self._next = number + 1
        self._previous = chain.header_hash(number, block.header.previous_hash, block.header.data_hash)
        return self._findings

    def _report(self, block: int, transaction: int | None, rule: str, detail: str) -> None:
        self._findings.append(Finding(block, transaction, rule, detail))

    def _header(self, block: common_pb2.Block) -> None:
        header = block.header
        if header.number != self._next:
            self._report(header.number, None, "number", f"expected block {self._next}")
        if header.previous_hash != self._previous:
            self._report(header.number, None, "previous_hash", "is not the hash of the header before it")
        if header.data_hash != chain.data_hash(block.data.data):
            self._report(header.number, None, "data_hash", "is not the hash of the transactions in the block")
        if header.number == 0 and self._genesis_hash is not None:
            found = chain.header_hash(0, header.previous_hash, header.data_hash)
            if found != self._genesis_hash:
                self._report(0, None, "genesis", f"block 0 has hash {found.hex()}: this is another channel")

    def _orderer(self, block: common_pb2.Block) -> None:
        number = block.header.number
        ordered = not number or self._signed_by_orderers(block)
        if not ordered:
            self._report(number, None, "orderer_signature", "not signed by this channel's orderers")
        elif not number or is_config(block):  # nobody else's word changes who belongs to the channel
            self._configure(block)
        signed = common_pb2.Metadata.FromString(block.metadata.metadata[chain.SIGNATURES])
        last = common_pb2.OrdererBlockMetadata.FromString(signed.value).last_config.index
        if last != self._config_block:
            self._report(number, None, "last_config", f"names block {last}, in force is {self._config_block}")

    def _configure(self, block: common_pb2.Block) -> None:
        config = ChannelConfig.from_block(block)
        self._config_block = block.header.number
        self._members = Membership(config.applications)
        self._orderers = Membership(config.orderers)
        self._consenters = config.consenters
        self._quorum = config.quorum
        self._rules = EndorsementRules(config, self._replay)

    def _signed_by_orderers(self, block: common_pb2.Block) -> bool:
        header = block.header
        signed = common_pb2.Metadata.FromString(block.metadata.metadata[chain.SIGNATURES])
        tail = chain.header_bytes(header.number, header.previous_hash, header.data_hash)
        signers = set()
        for item in signed.signatures:
            creator = self._creator(item)
            said = signed.value + (item.signature_header or item.identifier_header) + tail
            if _signer(self._orderers, creator, said, item.signature) is not None:
                signers.add(creator)
        return len(signers) >= self._quorum

    def _creator(self, item: common_pb2.MetadataSignature) -> bytes:
        """Who says to have signed a block: BFT orderers go by their number, and nobody else counts there."""
        if not item.signature_header:
            return self._consenters.get(common_pb2.IdentifierHeader.FromString(item.identifier_header).identifier, b"")
        creator = bytes(common_pb2.SignatureHeader.FromString(item.signature_header).creator)
        return creator if not self._consenters or creator in self._consenters.values() else b""

    def _transactions(self, block: common_pb2.Block) -> None:
        number = block.header.number
        codes = block.metadata.metadata[chain.TRANSACTIONS_FILTER]
        if len(codes) != len(block.data.data):
            self._report(
                number, None, "filter", f"{len(codes)} validation codes for {len(block.data.data)} transactions"
            )
            codes = codes.ljust(len(block.data.data), bytes([transaction_pb2.NOT_VALIDATED]))
        if not is_config(block):
            for index, (raw, code) in enumerate(zip(block.data.data, codes, strict=False)):
                self._transaction(number, index, raw, code)
        updates = self._replay.finish(number)
        if number:
            self._committed(block, codes, updates)

    def _committed(self, block: common_pb2.Block, codes: bytes, updates: bytes) -> None:
        self._commit_hash = chain.commit_hash(codes, updates, self._commit_hash)
        stated = common_pb2.Metadata.FromString(block.metadata.metadata[chain.COMMIT_HASH]).value
        if stated != self._commit_hash:
            self._report(block.header.number, None, "commit_hash", "is not what the write sets add up to")
        self._commit_hash = stated

    def _transaction(self, number: int, index: int, raw: bytes, code: int) -> None:
        try:
            checked = _Checked(raw)
        except (DecodeError, ValueError, IndexError) as error:
            if code == VALID:
                self._report(number, index, "malformed", f"the transaction cannot be read: {error}")
            return
        fault = checked.fault(self._members, self._rules)
        verdict = self._replay.verdict(checked.tx_id, checked.effects)
        if code == VALID and fault is not None:
            self._report(number, index, *fault)
        elif (code == VALID) != (fault is None and verdict == VALID):
            names = transaction_pb2.TxValidationCode.Name
            self._report(number, index, "validation_code", f"marked {names(code)}, recomputed {names(verdict)}")
        self._replay.add(checked.tx_id, index, code, checked.effects, sound=fault is None)


class _Checked:
    """An endorser transaction taken apart for checking. Raises DecodeError, ValueError or IndexError if it isn't one."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._envelope = common_pb2.Envelope.FromString(raw)
        self._header = common_pb2.Payload.FromString(self._envelope.payload).header
        data = common_pb2.Payload.FromString(self._envelope.payload).data
        channel = common_pb2.ChannelHeader.FromString(self._header.channel_header)
        if channel.type != common_pb2.ENDORSER_TRANSACTION:
            raise ValueError(f"its type is {channel.type}")
        self._signature = common_pb2.SignatureHeader.FromString(self._header.signature_header)
        (self._action,) = transaction_pb2.Transaction.FromString(data).actions
        self._body = transaction_pb2.ChaincodeActionPayload.FromString(self._action.payload)
        self._answer = proposal_response_pb2.ProposalResponsePayload.FromString(
            self._body.action.proposal_response_payload
        )
        self._chaincode = proposal_pb2.ChaincodeHeaderExtension.FromString(channel.extension).chaincode_id.name
        self.tx_id: str = channel.tx_id
        self.effects = Effects.read(proposal_pb2.ChaincodeAction.FromString(self._answer.extension).results)

    def fault(self, members: Membership, rules: EndorsementRules) -> tuple[str, str] | None:
        """The first rule that this transaction breaks by itself, and how."""
        signature, header = self._signature, self._header
        if self._envelope.SerializeToString(deterministic=True) != self._raw:
            return "envelope", "it holds bytes that no message accounts for"
        if _signer(members, signature.creator, self._envelope.payload, self._envelope.signature) is None:
            return "creator_signature", "it is not signed by a member of the channel"
        if self.tx_id != transaction_id(signature.nonce, signature.creator):
            return "tx_id", "its id is not the hash of nonce and creator"
        if self._action.header != header.signature_header:
            return "action_header", "the action names another submitter than the envelope"
        asked = header.channel_header + self._action.header + self._body.chaincode_proposal_payload
        if hashlib.sha256(asked).digest() != self._answer.proposal_hash:
            return "proposal_hash", "the endorsed answer belongs to another proposal"
        return self._endorsed(members, rules)

    def _endorsed(self, members: Membership, rules: EndorsementRules) -> tuple[str, str] | None:
        """A signature that fails is told too, also where the others are enough."""
        action = self._body.action
        signers: dict[bytes, Member] = {}
        for item in action.endorsements:
            signed = action.proposal_response_payload + item.endorser
            peer = _signer(members, item.endorser, signed, item.signature)
            if peer is None or peer.unit != "peer":
                return "endorsement", "an endorsement is not the signature of a peer of the channel"
            signers[item.endorser] = peer
        lacking = rules.fault(self._chaincode, self.effects, signers)
        return None if lacking is None else ("endorsement_policy", lacking)


def _signer(members: Membership, creator: bytes, message: bytes, signature: bytes) -> Member | None:
    """Who signed; None if the identity is none of theirs, or the signature is wrong or has the larger s."""
    try:
        member = members.member(creator)
        keys.verify(member.public_key, message, signature)
    except (NotAMemberError, InvalidSignature, ValueError):
        return None
    return member
