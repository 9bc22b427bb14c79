"""Is this chain what it says it is? Everything recomputed from the blocks, nothing believed.

    findings = verify_chain(blocks)

Every rule is Fabric's own. Trust starts at block 0, which nobody signs: give its header hash if you have it from
elsewhere. Private data are verified as far as blocks hold them, as hashes. Not covered: certificate revocation.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2
from google.protobuf.message import DecodeError

from fabric.verify.checks import Checked, InForce, claimed_id, signer
from fabric.verify.definitions import Definitions
from fabric.verify.endorsement import EndorsementRules
from fabric.verify.replay import VALID, Replay
from fabric.words import chain
from fabric.words.channel import ChannelConfig, is_config
from fabric.words.membership import Membership


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be. ``rule`` is a fixed word, ``detail`` is for people."""

    block: int
    transaction: int | None
    rule: str
    detail: str


def verify_chain(blocks: Iterable[common_pb2.Block], genesis_hash: bytes | None = None) -> list[Finding]:
    """All findings in a chain given from block 0 on; none means that every rule holds."""
    with closing(Verifier(genesis_hash)) as verifier:
        return [finding for block in blocks for finding in verifier.add(block)]


class Verifier:
    """Takes blocks in order, from 0 on, and answers with what is wrong with each.

    Its memory does not grow with the chain: what the blocks add up to lies in a temporary file, which ``close`` gives back.
    """

    def __init__(self, genesis_hash: bytes | None = None) -> None:
        self._genesis_hash = genesis_hash
        self._next = 0
        self._previous = b""
        self._commit_hash = b""
        self._replay = Replay()
        self._configure(ChannelConfig("", {}, {}, {}), 0)
        self._findings: list[Finding] = []

    def add(self, block: common_pb2.Block) -> list[Finding]:
        """What is wrong with the next block. A broken block does not hide what follows it.

        Raises OSError where the temporary file can't be written.
        """
        self._findings = []
        number = block.header.number
        try:
            self._header(block)
            self._orderer(block)
            self._transactions(block)
        except (DecodeError, ValueError, IndexError) as error:
            self._report(number, None, "malformed", f"the block cannot be read: {error}")
        except sqlite3.Error as error:
            where = tempfile.gettempdir()
            raise OSError(f"what the blocks add up to can't be kept ({error}): is there room in {where}?") from error
        self._next = number + 1
        self._previous = chain.header_hash(number, block.header.previous_hash, block.header.data_hash)
        return self._findings

    def values(self, namespace: str) -> Iterator[tuple[str, bytes]]:
        """What the blocks so far add up to: the keys of a chaincode and their values, in the order of the keys' bytes."""
        return self._replay.public.values(namespace)

    def close(self) -> None:
        """Let go of the temporary file."""
        self._replay.close()

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
            self._configure(ChannelConfig.from_block(block), number)
        signed = common_pb2.Metadata.FromString(block.metadata.metadata[chain.SIGNATURES])
        last = common_pb2.OrdererBlockMetadata.FromString(signed.value).last_config.index
        if last != self._config_block:
            self._report(number, None, "last_config", f"names block {last}, in force is {self._config_block}")

    def _configure(self, config: ChannelConfig, number: int) -> None:
        self._config_block = number
        self._config = config
        self._orderers = Membership(config.orderers)
        definitions = Definitions(self._replay)
        endorsements = EndorsementRules(config, definitions, self._replay)
        self._rules = InForce(config, Membership(config.applications), definitions, endorsements)

    def _signed_by_orderers(self, block: common_pb2.Block) -> bool:
        header = block.header
        signed = common_pb2.Metadata.FromString(block.metadata.metadata[chain.SIGNATURES])
        tail = chain.header_bytes(header.number, header.previous_hash, header.data_hash)
        signers = set()
        for item in signed.signatures:
            creator = self._creator(item)
            said = signed.value + (item.signature_header or item.identifier_header) + tail
            if signer(self._orderers, creator, said, item.signature) is not None:
                signers.add(creator)
        return len(signers) >= self._config.quorum

    def _creator(self, item: common_pb2.MetadataSignature) -> bytes:
        """Who says to have signed a block: BFT orderers go by their number, and nobody else counts there."""
        if not item.signature_header:
            return self._config.consenters.get(
                common_pb2.IdentifierHeader.FromString(item.identifier_header).identifier, b""
            )
        creator = bytes(common_pb2.SignatureHeader.FromString(item.signature_header).creator)
        return creator if not self._config.consenters or creator in self._config.consenters.values() else b""

    def _transactions(self, block: common_pb2.Block) -> None:
        number = block.header.number
        codes = block.metadata.metadata[chain.TRANSACTIONS_FILTER]
        if len(codes) != len(block.data.data):
            self._report(
                number, None, "filter", f"{len(codes)} validation codes for {len(block.data.data)} transactions"
            )
            codes = codes.ljust(len(block.data.data), bytes([transaction_pb2.NOT_VALIDATED]))
        if is_config(block):
            self._replay.claim(claimed_id(block.data.data[0]))
        else:
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
            checked = Checked(raw)
            fault = checked.fault(self._rules)
        except (DecodeError, ValueError) as error:
            if code == VALID:
                self._report(number, index, "malformed", f"the transaction cannot be read: {error}")
            self._replay.claim(claimed_id(raw))
            return
        verdict = self._replay.verdict(checked.tx_id, checked.effects)
        told = fault or (checked.oddity(self._rules) if verdict == VALID else None)
        if told is None and code != verdict:
            names = transaction_pb2.TxValidationCode.Name
            self._report(number, index, "validation_code", f"marked {names(code)}, recomputed {names(verdict)}")
        elif told is not None and code == VALID:
            self._report(number, index, *told)
        self._replay.add(checked.tx_id, index, code, checked.effects, sound=fault is None)
