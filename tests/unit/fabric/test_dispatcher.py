"""The checks of Fabric's own dispatcher, and those that a peer makes before it endorses: for each the finding that names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2, proposal_response_pb2, transaction_pb2

from fabric.verify import verify_chain
from fabric.words.proposal import Proposal, transaction_id
from fabric.words.transaction import sealed
from tests.unit.fabric.forge import CHAINCODE, NOW, VALID, Forge, results, rwset, signed

INVALID = transaction_pb2.INVALID_CHAINCODE
ILLEGAL = transaction_pb2.ILLEGAL_WRITESET
PEARS = {"pears": b"1"}
LEFT = [("pears", b"1", 0)]


@pytest.fixture
def forge() -> Forge:
    """A channel on which version 1.0 of the contract is defined."""
    made = Forge(raft=True)
    made.define("1.0")
    return made


def rules(forge: Forge) -> list[tuple[int, str]]:
    return [(finding.block, finding.rule) for finding in verify_chain(forge.blocks)]


def test_what_is_as_the_channel_defines_it(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(writes=PEARS), event_of=CHAINCODE)], writes=LEFT)
    assert rules(forge) == []


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ({"answered_by": "elsewhere"}, "chaincode"),
        ({"event_of": "elsewhere"}, "chaincode"),
        ({"version": ""}, "chaincode"),
        ({"chaincode": "elsewhere"}, "chaincode"),
        ({"chaincode": ""}, "chaincode"),
        ({"channel": "another"}, "channel"),
    ],
)
def test_what_peers_find_invalid(forge: Forge, how: dict[str, Any], rule: str) -> None:
    """Marked invalid it is as it should be; marked valid, all peers together have broken a rule."""
    space = how.get("chaincode", CHAINCODE)
    forge.append([forge.envelope(rwset(writes=PEARS), **how)], [INVALID])
    assert rules(forge) == []
    forge.append([forge.envelope(rwset(writes=PEARS), **how)], writes=LEFT, chaincode=space)
    assert rules(forge) == [(3, rule)]


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ({"status": 500}, "response"),
        ({"status": 0}, "response"),
        ({"version": "2.0"}, "version"),
    ],
)
def test_what_no_peer_endorses_and_no_orderer_takes(forge: Forge, how: dict[str, Any], rule: str) -> None:
    forge.append([forge.envelope(rwset(writes=PEARS), **how)], writes=LEFT)
    assert rules(forge) == [(2, rule)]


def test_a_write_into_a_chaincode_that_is_not_defined(forge: Forge) -> None:
    sets = [
        rwset_pb2.NsReadWriteSet(namespace=space, rwset=rwset(writes=PEARS).SerializeToString())
        for space in (CHAINCODE, "elsewhere")
    ]
    both = rwset_pb2.TxReadWriteSet(ns_rwset=sets).SerializeToString()
    forge.append([forge.envelope(rwset(), raw_results=both)], [INVALID])
    assert rules(forge) == []
    forge.append([forge.envelope(rwset(), raw_results=both)], writes=LEFT)
    assert (3, "chaincode") in rules(forge)


def test_a_namespace_twice(forge: Forge) -> None:
    one = rwset_pb2.NsReadWriteSet(namespace=CHAINCODE, rwset=rwset(writes=PEARS).SerializeToString())
    twice = rwset_pb2.TxReadWriteSet(ns_rwset=[one, one]).SerializeToString()
    forge.append([forge.envelope(rwset(), raw_results=twice)], [ILLEGAL])
    assert rules(forge) == []
    forge.append([forge.envelope(rwset(), raw_results=twice)], writes=LEFT)
    assert rules(forge) == [(3, "namespace")]


def test_the_call_names_another_chaincode_than_the_header(forge: Forge) -> None:
    """Its endorsers answered what was never asked of them: they sign the proposal's hash, so all of them agree on it."""
    forge.append([_with_call(forge, "elsewhere")], writes=LEFT)
    assert rules(forge) == [(2, "chaincode")]


def test_a_header_of_another_epoch(forge: Forge) -> None:
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(forge.envelope(rwset(writes=PEARS))).payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    header.epoch = 1
    payload.header.channel_header = header.SerializeToString(deterministic=True)
    forge.append([signed(payload, forge.farmer)], [transaction_pb2.BAD_COMMON_HEADER])
    assert rules(forge) == []
    forge.append([signed(payload, forge.farmer)], writes=LEFT)
    assert rules(forge) == [(3, "header")]


def test_after_an_upgrade_the_new_version_is_called(forge: Forge) -> None:
    before = forge.envelope(rwset(writes=PEARS))
    forge.define("2.0")
    forge.append([forge.envelope(rwset(writes=PEARS), version="2.0")], writes=LEFT)
    assert rules(forge) == []
    forge.append([before], writes=LEFT)
    assert rules(forge) == [(4, "version")]
    forge.append([forge.envelope(rwset(writes=PEARS))], [transaction_pb2.MVCC_READ_CONFLICT])
    assert rules(forge) == [(4, "version")]  # whoever was endorsed before the upgrade had read the definition: stale


def test_within_the_block_of_an_upgrade_the_old_version_is_right(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(writes=PEARS))], writes=LEFT)
    forge.define("2.0")
    assert rules(forge) == []


def test_a_definition_that_cannot_be_read_defines_nothing(forge: Forge) -> None:
    key = f"namespaces/fields/{CHAINCODE}/EndorsementInfo"
    broken = forge.envelope(rwset(writes={key: b"\xff\xff"}), chaincode="_lifecycle")
    forge.append([broken], writes=[(key, b"\xff\xff", 0)], chaincode="_lifecycle")
    forge.append([forge.envelope(rwset(writes=PEARS))], [INVALID])
    assert rules(forge) == []


def test_an_id_is_taken_by_whatever_carries_it(forge: Forge) -> None:
    """A peer's index has the id of each envelope whose header can be read, and refuses it to a later block."""
    nonce = b"n" * 24
    good = forge.envelope(rwset(), nonce=nonce)
    squatter = _carrying(transaction_id(nonce, forge.farmer.creator))
    forge.append([squatter, good], [transaction_pb2.BAD_PAYLOAD, VALID])
    assert rules(forge) == []
    late = forge.envelope(rwset(), nonce=b"late")
    forge.append([_carrying(transaction_id(b"late", forge.farmer.creator))], [transaction_pb2.BAD_PAYLOAD])
    forge.append([late], [transaction_pb2.DUPLICATE_TXID])
    assert rules(forge) == []


def _carrying(tx_id: str) -> bytes:
    """An envelope that is no transaction and has the id of one."""
    header = common_pb2.ChannelHeader(type=common_pb2.ENDORSER_TRANSACTION, tx_id=tx_id)
    head = common_pb2.Header(channel_header=header.SerializeToString())
    payload = common_pb2.Payload(header=head, data=b"\xff")
    return bytes(common_pb2.Envelope(payload=payload.SerializeToString()).SerializeToString())


def _with_call(forge: Forge, chaincode: str) -> bytes:
    """A transaction whose header names the contract and whose call another chaincode, properly endorsed."""
    who = forge.farmer
    mine = Proposal.create("lotline", CHAINCODE, [b"capture"], who.creator, b"m" * 24, NOW)
    theirs = Proposal.create("lotline", chaincode, [b"capture"], who.creator, b"m" * 24, NOW)
    action = proposal_pb2.ChaincodeAction(
        results=results(rwset(writes=PEARS)),
        response=proposal_response_pb2.Response(status=200),
        chaincode_id=chaincode_pb2.ChaincodeID(name=CHAINCODE, version="1.0"),
    )
    return sealed(replace(mine, payload=theirs.payload), action, forge.peers, who)
