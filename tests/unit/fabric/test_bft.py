"""Blocks of BFT orderers: a quorum of them signs, each under its number."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from fabric_protos.common import common_pb2

from fabric.verify import verify_chain
from fabric.words import chain
from fabric.words.channel import ChannelConfig
from fabric.words.identity import Identity
from tests.unit.fabric.forge import Forge, rwset

UNSIGNED = [(1, "orderer_signature")]


def found_in(forge: Forge) -> list[tuple[int, str]]:
    return [(finding.block, finding.rule) for finding in verify_chain(forge.blocks)]


def sign(block: common_pb2.Block, signers: Mapping[int, Identity], times: int = 1) -> None:
    """Signatures as BFT orderers make them, in place of those that are there."""
    header = block.header
    tail = chain.header_bytes(header.number, header.previous_hash, header.data_hash)
    metadata = common_pb2.Metadata.FromString(block.metadata.metadata[chain.SIGNATURES])
    del metadata.signatures[:]
    for number, identity in list(signers.items()) * times:
        named = common_pb2.IdentifierHeader(identifier=number, nonce=b"n").SerializeToString()
        metadata.signatures.add(identifier_header=named, signature=identity.sign(metadata.value + named + tail))
    block.metadata.metadata[chain.SIGNATURES] = metadata.SerializeToString()


@pytest.fixture
def forge() -> Forge:
    """A channel of four orderers whose block 1 is not yet signed by them."""
    made = Forge(bft=4)
    made.append([made.envelope(rwset(), chaincode="_lifecycle")])
    return made


@pytest.mark.parametrize(
    ("signers", "findings"), [((1, 2, 3), []), ((1, 2, 3, 4), []), ((2, 4), UNSIGNED), ((), UNSIGNED)]
)
def test_three_of_four_must_sign(forge: Forge, signers: tuple[int, ...], findings: list[tuple[int, str]]) -> None:
    sign(forge.blocks[1], {number: forge.consenters[number] for number in signers})
    assert found_in(forge) == findings


def test_one_orderer_counts_once(forge: Forge) -> None:
    sign(forge.blocks[1], {1: forge.consenters[1]}, times=3)
    assert found_in(forge) == UNSIGNED


def test_an_orderer_under_anothers_number_does_not_count(forge: Forge) -> None:
    one, two, three = (forge.consenters[number] for number in (1, 2, 3))
    sign(forge.blocks[1], {1: one, 2: two, 4: three})
    assert found_in(forge) == UNSIGNED


def test_a_number_that_nobody_has_does_not_count(forge: Forge) -> None:
    sign(forge.blocks[1], {1: forge.consenters[1], 2: forge.consenters[2], 9: forge.consenters[3]})
    assert found_in(forge) == UNSIGNED


def test_only_consenters_count_also_under_their_certificates(forge: Forge) -> None:
    """A member of the orderers' organisation that orders nothing has a good certificate too."""
    header = forge.blocks[1].header
    tail = chain.header_bytes(header.number, header.previous_hash, header.data_hash)

    def signed_by(signers: list[Identity]) -> list[tuple[int, str]]:
        metadata = common_pb2.Metadata.FromString(forge.blocks[1].metadata.metadata[chain.SIGNATURES])
        del metadata.signatures[:]
        for identity in signers:
            named = common_pb2.SignatureHeader(creator=identity.creator, nonce=b"n").SerializeToString()
            metadata.signatures.add(signature_header=named, signature=identity.sign(metadata.value + named + tail))
        forge.blocks[1].metadata.metadata[chain.SIGNATURES] = metadata.SerializeToString()
        return found_in(forge)

    first, second, third, _ = forge.consenters.values()
    assert signed_by([first, second, third]) == []
    assert signed_by([first, second, forge.ordering.issue("idle", "orderer")]) == UNSIGNED


@pytest.mark.parametrize(
    ("orderers", "quorum"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7)]
)
def test_the_quorum_of_fabric(orderers: int, quorum: int) -> None:
    """ceil((n + f + 1) / 2) with f = (n - 1) / 3, rounded down: ``policies.ComputeBFTQuorum``."""
    config = ChannelConfig("lotline", {}, {}, dict.fromkeys(range(orderers), b""))
    assert config.quorum == quorum
