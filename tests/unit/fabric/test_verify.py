"""An auditor's verification: silent on a chain that keeps the rules, and for each broken rule the finding that names it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric import utils
from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_response_pb2, transaction_pb2
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fabric.verify import Finding, verify_chain
from fabric.words import chain
from fabric.words.identity import Identity
from fabric.words.keys import P256_ORDER
from tests.unit.fabric.forge import VALID, Change, Forge, edited, rwset, signed

STALE: int = transaction_pb2.MVCC_READ_CONFLICT
Rules = list[tuple[int, int | None, str]]


@pytest.fixture
def forge() -> Forge:
    """A channel whose block 1 wrote ``apples``."""
    made = Forge()
    made.put("apples", b"1")
    return made


def rules(findings: Sequence[Finding]) -> Rules:
    return [(finding.block, finding.transaction, finding.rule) for finding in findings]


def found_in(forge: Forge) -> Rules:
    return rules(verify_chain(forge.blocks))


def test_a_chain_that_keeps_the_rules(forge: Forge) -> None:
    forge.put("apples", b"2", (1, 0))
    both = rwset({"apples": (2, 0)}, {"apples": b"3"})
    forge.append([forge.envelope(both), forge.envelope(both)], [VALID, STALE], [("apples", b"3", 0)])
    forge.append([forge.envelope(rwset({"apples": (3, 0)}, {"apples": None}))], writes=[("apples", None, 0)])
    two = [forge.peers[0], forge.peers[2]]
    forge.append([forge.envelope(rwset({"apples": None}), endorsers=two)])
    assert verify_chain(forge.blocks) == []


def test_the_genesis_block_is_taken_on_its_hash(forge: Forge) -> None:
    header = forge.blocks[0].header
    own = chain.header_hash(0, header.previous_hash, header.data_hash)
    assert verify_chain(forge.blocks, own) == []
    assert rules(verify_chain(forge.blocks, b"\x01" * 32)) == [(0, None, "genesis")]


def test_a_missing_block(forge: Forge) -> None:
    forge.put("pears", b"1")
    forge.put("plums", b"1")
    del forge.blocks[2]
    assert (3, None, "number") in found_in(forge)
    assert (3, None, "previous_hash") in found_in(forge)


def test_a_header_replaced_afterwards(forge: Forge) -> None:
    forge.put("pears", b"1")
    forge.blocks[1].header.data_hash = b"\x00" * 32
    assert found_in(forge) == [(1, None, "data_hash"), (1, None, "orderer_signature"), (2, None, "previous_hash")]


def test_a_transaction_replaced_afterwards(forge: Forge) -> None:
    forge.blocks[1].data.data[0] = forge.envelope(rwset(writes={"apples": b"9"}))
    assert found_in(forge) == [(1, None, "data_hash"), (1, None, "commit_hash")]


def test_blocks_of_somebody_who_is_no_orderer(forge: Forge) -> None:
    forge.append([forge.envelope(rwset())], orderer=forge.peers[0])
    assert found_in(forge) == [(2, None, "orderer_signature")]


def test_a_configuration_that_is_not_in_force(forge: Forge) -> None:
    forge.append([forge.envelope(rwset())], last_config=1)
    assert found_in(forge) == [(2, None, "last_config")]


def test_a_configuration_nobody_ordered_changes_nothing(forge: Forge) -> None:
    """Or else whoever writes the file could make any authority a member."""
    foreign = Forge()
    forge.append([foreign.genesis_envelope], orderer=foreign.orderer)
    forge.append([forge.envelope(rwset())])
    assert found_in(forge) == [(2, None, "orderer_signature")]


def test_an_ordered_configuration_changes_who_belongs(forge: Forge) -> None:
    """The orderers before it sign it, also where it replaces them."""
    other = Forge()
    forge.append([other.genesis_envelope], last_config=2)
    theirs = other.envelope(rwset({"apples": (1, 0)}, {"apples": b"2"}))
    forge.append([theirs], writes=[("apples", b"2", 0)], orderer=other.orderer, last_config=2)
    assert found_in(forge) == []
    forge.append([forge.envelope(rwset())], last_config=2)
    assert found_in(forge) == [(4, None, "orderer_signature"), (4, 0, "creator_signature")]


def test_a_validation_code_missing(forge: Forge) -> None:
    forge.append([forge.envelope(rwset()), forge.envelope(rwset())], [VALID])
    assert (2, None, "filter") in found_in(forge)
    assert (2, 1, "validation_code") in found_in(forge)


def test_a_stale_transaction_marked_valid(forge: Forge) -> None:
    forge.append([forge.envelope(rwset({"apples": None}, {"apples": b"2"}))], writes=[("apples", b"2", 0)])
    assert found_in(forge) == [(2, 0, "validation_code")]


def test_a_good_transaction_marked_invalid(forge: Forge) -> None:
    """Validation codes are signed by nobody: a peer that hides a transaction is found by working them out anew."""
    forge.append([forge.envelope(rwset({"apples": (1, 0)}))], [STALE])
    assert found_in(forge) == [(2, 0, "validation_code")]


def test_a_transaction_twice(forge: Forge) -> None:
    again = forge.blocks[1].data.data[0]
    forge.append([again], [transaction_pb2.DUPLICATE_TXID])
    assert found_in(forge) == []
    forge.append([again], writes=[("apples", b"1", 0)])
    assert found_in(forge) == [(3, 0, "validation_code")]


def test_an_id_taken_by_a_forgery_in_the_same_block_is_still_free(forge: Forge) -> None:
    good = forge.envelope(rwset())
    forge.append([edited(good, _one_endorser, forge.farmer), good], [transaction_pb2.ENDORSEMENT_POLICY_FAILURE, VALID])
    assert found_in(forge) == []


def test_a_code_that_fabric_does_not_know(forge: Forge) -> None:
    forge.append([forge.envelope(rwset())], [77])
    assert found_in(forge) == [(2, None, "malformed")]


def test_other_values_than_were_committed(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(writes={"pears": b"1"}))], writes=[("pears", b"2", 0)])
    assert found_in(forge) == [(2, None, "commit_hash")]


def test_a_wrong_commit_hash_is_told_once(forge: Forge) -> None:
    forge.blocks[1].metadata.metadata[chain.COMMIT_HASH] = b""
    forge.put("pears", b"1")
    assert found_in(forge)[0] == (1, None, "commit_hash")


@pytest.mark.parametrize("content", [b"\xff\xff", b"", b"\x0a\x02\xff\xff"])
def test_bytes_that_are_no_transaction(forge: Forge, content: bytes) -> None:
    """Evidence when they are marked invalid, alone in their block or not; a finding when they are marked valid."""
    forge.append([content], [transaction_pb2.BAD_PAYLOAD])
    forge.append([content, forge.envelope(rwset())], [transaction_pb2.BAD_PAYLOAD, VALID])
    assert found_in(forge) == []
    forge.append([content])
    assert found_in(forge) == [(4, 0, "malformed")]


def test_a_block_without_metadata_does_not_hide_what_follows(forge: Forge) -> None:
    del forge.blocks[1].metadata.metadata[:]
    forge.append([forge.envelope(rwset())], [STALE])
    found = found_in(forge)
    assert found[0] == (1, None, "malformed")
    assert (2, 0, "validation_code") in found


def _other_nonce(action: transaction_pb2.TransactionAction, body: transaction_pb2.ChaincodeActionPayload) -> None:
    header = common_pb2.SignatureHeader.FromString(action.header)
    header.nonce = b"another"
    action.header = header.SerializeToString(deterministic=True)


def _other_arguments(action: transaction_pb2.TransactionAction, body: transaction_pb2.ChaincodeActionPayload) -> None:
    body.chaincode_proposal_payload += b"\x12\x00"


def _other_answer(action: transaction_pb2.TransactionAction, body: transaction_pb2.ChaincodeActionPayload) -> None:
    answer = proposal_response_pb2.ProposalResponsePayload.FromString(body.action.proposal_response_payload)
    answer.extension += b"\x22\x00"
    body.action.proposal_response_payload = answer.SerializeToString(deterministic=True)


def _one_endorser(action: transaction_pb2.TransactionAction, body: transaction_pb2.ChaincodeActionPayload) -> None:
    del body.action.endorsements[1:]


def _one_endorser_often(
    action: transaction_pb2.TransactionAction, body: transaction_pb2.ChaincodeActionPayload
) -> None:
    _one_endorser(action, body)
    body.action.endorsements.extend([body.action.endorsements[0]] * 2)


def _larger_s(action: transaction_pb2.TransactionAction, body: transaction_pb2.ChaincodeActionPayload) -> None:
    """The same signature in its other form: valid for ECDSA, refused by Fabric."""
    r, s = utils.decode_dss_signature(body.action.endorsements[0].signature)
    body.action.endorsements[0].signature = utils.encode_dss_signature(r, P256_ORDER - s)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_other_nonce, "action_header"),
        (_other_arguments, "proposal_hash"),
        (_other_answer, "endorsement"),
        (_larger_s, "endorsement"),
        (_one_endorser, "endorsement_policy"),
        (_one_endorser_often, "endorsement_policy"),
    ],
)
def test_a_transaction_changed_after_it_was_endorsed(forge: Forge, change: Change, rule: str) -> None:
    broken = edited(forge.envelope(rwset()), change, forge.farmer)
    forge.append([broken])
    assert found_in(forge) == [(2, 0, rule)]
    forge.append(
        [edited(forge.envelope(rwset()), change, forge.farmer)], [transaction_pb2.INVALID_ENDORSER_TRANSACTION]
    )
    assert found_in(forge) == [(2, 0, rule)]  # marked invalid it is as it should be


def test_endorsed_by_somebody_who_is_no_peer(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(), endorsers=[forge.peers[0], forge.shop.issue("clerk")])])
    assert found_in(forge) == [(2, 0, "endorsement")]


def test_endorsed_by_peers_of_another_channel(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(), endorsers=Forge().peers)])
    assert found_in(forge) == [(2, 0, "endorsement")]


def _stranger(forge: Forge) -> Identity:
    return Forge().farmer


def _without_the_key(forge: Forge) -> Identity:
    return Identity("farmer", forge.farmer.msp_id, forge.farmer.certificate, forge.shop.issue("thief").key)


def _under_another_flag(forge: Forge) -> Identity:
    return Identity("farmer", forge.shop.msp_id, forge.farmer.certificate, forge.farmer.key)


@pytest.mark.parametrize("impostor", [_stranger, _without_the_key, _under_another_flag])
def test_submitted_by_somebody_else(forge: Forge, impostor: Callable[[Forge], Identity]) -> None:
    forge.append([forge.envelope(rwset(), submitter=impostor(forge))])
    assert found_in(forge) == [(2, 0, "creator_signature")]


def test_an_id_that_is_not_the_hash_of_nonce_and_creator(forge: Forge) -> None:
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(forge.envelope(rwset())).payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    header.tx_id = "ab" * 32
    payload.header.channel_header = header.SerializeToString(deterministic=True)
    forge.append([signed(payload, forge.farmer)])
    assert found_in(forge) == [(2, 0, "tx_id")]


def test_bytes_beside_the_message(forge: Forge) -> None:
    """A second signature field is read as the only one: without this rule two files could differ and both be right."""
    envelope = forge.envelope(rwset())
    forge.append([b"\x12\x01x" + envelope])
    assert found_in(forge) == [(2, 0, "envelope")]


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_block_of_an_impossible_number_is_a_finding_and_hides_nothing(forge: Forge, number: int) -> None:
    forge.put("pears", b"1")
    forge.blocks[2].header.number = number
    forge.blocks.append(common_pb2.Block.FromString(forge.blocks[1].SerializeToString()))
    found = found_in(forge)
    assert (number, None, "number") in found
    assert (1, 0, "validation_code") in found  # the transaction of block 1 once more


@pytest.fixture(scope="module")
def chain_of_three() -> list[bytes]:
    """Genesis, a block of two transactions and one more."""
    forge = Forge()
    both = rwset({"apples": None}, {"apples": b"1"})
    forge.append([forge.envelope(both), forge.envelope(both)], [VALID, STALE], [("apples", b"1", 0)])
    forge.put("apples", b"2", (1, 0))
    assert verify_chain(forge.blocks) == []
    return [block.SerializeToString(deterministic=True) for block in forge.blocks]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_bit_can_be_turned_unnoticed(chain_of_three: list[bytes], data: st.DataObject) -> None:
    """Wherever it is, and the verification never fails itself."""
    number = data.draw(st.integers(1, 2), "block")
    content = bytearray(chain_of_three[number])
    content[data.draw(st.integers(0, len(content) - 1), "byte")] ^= 1 << data.draw(st.integers(0, 7), "bit")
    try:
        broken = common_pb2.Block.FromString(bytes(content))
    except DecodeError:
        return  # noticed by whoever reads the file
    assume(broken != common_pb2.Block.FromString(chain_of_three[number]))
    blocks = [common_pb2.Block.FromString(block) for block in chain_of_three]
    blocks[number] = broken
    assert verify_chain(blocks) != []
