"""Endorsement policies of single keys and of chaincodes, verified: from the next block on, and over the majority's head."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.common import policies_pb2
from fabric_protos.peer import policy_pb2, transaction_pb2
from fabric_protos.peer.lifecycle import chaincode_definition_pb2, db_pb2

from chaincode.endorsement import all_of
from fabric.verify import verify_chain
from fabric.verify.replay import Effects, Replay
from fabric.words import chain
from tests.unit.fabric.forge import CHAINCODE, VALID, Forge, rwset
from tests.unit.fabric.test_replay import commit

REFUSED: int = transaction_pb2.ENDORSEMENT_POLICY_FAILURE
STALE: int = transaction_pb2.MVCC_READ_CONFLICT
TRUCK_ONLY = all_of(["TruckMSP"])
Rules = list[tuple[int, int | None, str]]


@pytest.fixture
def forge() -> Forge:
    """A channel of three whose block 1 wrote ``apples``, which from then on only the truck's peer may change."""
    made = Forge()
    protect = rwset(writes={"apples": b"1"}, policies={"apples": TRUCK_ONLY})
    made.append([made.envelope(protect)], writes=[("apples", b"1", 0)])
    return made


def found_in(forge: Forge) -> Rules:
    return [(finding.block, finding.transaction, finding.rule) for finding in verify_chain(forge.blocks)]


def by(forge: Forge, *names: str) -> dict[str, Any]:
    peers = dict(zip(("farm", "shop", "truck"), forge.peers, strict=True))
    return {"endorsers": [peers[name] for name in names]}


WRITE = rwset(writes={"apples": b"2"})


def test_a_majority_is_not_enough_for_a_key_with_a_policy(forge: Forge) -> None:
    forge.append([forge.envelope(WRITE, **by(forge, "farm", "shop"))], [REFUSED])
    assert found_in(forge) == []
    forge.append([forge.envelope(WRITE, **by(forge, "farm", "shop"))], writes=[("apples", b"2", 0)])
    assert found_in(forge) == [(3, 0, "endorsement_policy")]
    detail = verify_chain(forge.blocks)[0].detail
    assert detail == "apples asks for 1 of (TruckMSP.peer); endorsed by FarmMSP, ShopMSP"


def test_whom_it_names_is_enough_and_needs_no_majority(forge: Forge) -> None:
    forge.append([forge.envelope(WRITE, **by(forge, "truck"))], writes=[("apples", b"2", 0)])
    assert found_in(forge) == []


def test_beside_another_key_the_majority_is_needed_too(forge: Forge) -> None:
    both = rwset(writes={"apples": b"2", "pears": b"2"})
    left = [("apples", b"2", 0), ("pears", b"2", 0)]
    forge.append([forge.envelope(both, **by(forge, "truck"))], [REFUSED])
    forge.append([forge.envelope(both, **by(forge, "truck", "shop"))], writes=left)
    assert found_in(forge) == []


def test_changing_the_policy_needs_whom_it_names(forge: Forge) -> None:
    away = rwset(policies={"apples": b""})
    forge.append([forge.envelope(away, **by(forge, "farm", "shop"))], [REFUSED])
    # the value counts as written anew
    forge.append([forge.envelope(away, **by(forge, "truck"))], writes=[("apples", b"1", 0)])
    forge.append([forge.envelope(rwset({"apples": (3, 0)}))])
    forge.append([forge.envelope(WRITE, **by(forge, "farm", "shop"))], writes=[("apples", b"2", 0)])
    assert found_in(forge) == []


def test_metadata_dropped_altogether(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(policies={"apples": None}))], writes=[("apples", b"1", 0)])
    forge.append([forge.envelope(WRITE, **by(forge, "farm", "shop"))], writes=[("apples", b"2", 0)])
    assert found_in(forge) == []


def test_a_deleted_key_takes_its_policy_with_it(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(writes={"apples": None}))], writes=[("apples", None, 0)])
    forge.append([forge.envelope(WRITE, **by(forge, "farm", "shop"))], writes=[("apples", b"2", 0)])
    assert found_in(forge) == []


def test_a_key_that_is_not_there_gets_no_policy(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(policies={"pears": TRUCK_ONLY}))])
    pears = rwset({"pears": None}, {"pears": b"1"})
    forge.append([forge.envelope(pears, **by(forge, "farm", "shop"))], writes=[("pears", b"1", 0)])
    assert found_in(forge) == []


def test_after_a_change_of_policy_in_the_same_block_nothing_may_touch_the_key(forge: Forge) -> None:
    again = rwset(writes={"apples": b"2"}, policies={"apples": all_of(["FarmMSP"])})
    forge.append([forge.envelope(again), forge.envelope(WRITE)], [VALID, REFUSED], [("apples", b"2", 0)])
    assert found_in(forge) == []
    forge.append([forge.envelope(WRITE)], writes=[("apples", b"2", 0)])
    assert found_in(forge) == []


def test_that_holds_also_if_the_change_of_policy_lost_a_race(forge: Forge) -> None:
    """Peers look at endorsements before they look at versions."""
    stale = rwset({"apples": None}, policies={"apples": b""})
    forge.append([forge.envelope(stale), forge.envelope(WRITE)], [STALE, REFUSED])
    refused = forge.envelope(rwset(policies={"apples": b""}), **by(forge, "farm", "shop"))
    forge.append([refused, forge.envelope(WRITE)], [REFUSED, VALID], [("apples", b"2", 1)])
    assert found_in(forge) == []


def test_marked_valid_after_a_change_of_policy(forge: Forge) -> None:
    again = rwset(policies={"apples": TRUCK_ONLY})
    forge.append([forge.envelope(again), forge.envelope(WRITE)], writes=[("apples", b"2", 1)])
    assert found_in(forge) == [(2, 1, "endorsement_policy")]


def test_a_policy_that_cannot_be_read_locks_its_key(forge: Forge) -> None:
    forge.append([forge.envelope(rwset(policies={"apples": b"\xff"}))], writes=[("apples", b"1", 0)])
    forge.append([forge.envelope(WRITE)], [REFUSED])
    assert found_in(forge) == []


def test_a_change_of_policy_is_a_change_for_those_who_read_the_key() -> None:
    replay = Replay()
    assert commit(replay, 1, rwset(writes={"a": b"1"})) == [VALID]
    assert commit(replay, 2, rwset(policies={"a": TRUCK_ONLY}), rwset({"a": (1, 0)})) == [VALID, STALE]
    assert commit(replay, 3, rwset({"a": (2, 0)})) == [VALID]
    assert replay.public.policy((CHAINCODE, "a")) == TRUCK_ONLY


def test_the_value_of_a_key_whose_policy_alone_changed_is_the_last_one_of_the_block() -> None:
    replay = Replay()
    commit(replay, 1, rwset(writes={"a": b"1", "gone": b"1"}))
    calls = [rwset(writes={"a": b"2", "gone": None}), rwset(policies={"a": TRUCK_ONLY, "gone": TRUCK_ONLY})]
    for index, found in enumerate(calls):
        replay.add(str(index), index, VALID, Effects([(CHAINCODE, found)]))
    expected = [(CHAINCODE, "a", b"2", 1), (CHAINCODE, "gone", None, 0)]
    assert replay.finish(2) == chain.update_bytes(expected, 2)
    assert replay.public.policy((CHAINCODE, "gone")) == b""


def definition(policy: policy_pb2.ApplicationPolicy) -> bytes:
    """What the lifecycle writes of a chaincode's policy."""
    info = chaincode_definition_pb2.ChaincodeValidationInfo(
        validation_plugin="vscc", validation_parameter=policy.SerializeToString()
    )
    return bytes(db_pb2.StateData(Bytes=info.SerializeToString()).SerializeToString())


def define(forge: Forge, content: bytes) -> None:
    key = f"namespaces/fields/{CHAINCODE}/ValidationInfo"
    committed = forge.envelope(rwset(writes={key: content}), chaincode="_lifecycle")
    forge.append([committed], writes=[(key, content, 0)], chaincode="_lifecycle")


def test_a_chaincodes_own_policy_is_the_one_it_was_committed_with(forge: Forge) -> None:
    alone = policies_pb2.SignaturePolicyEnvelope.FromString(all_of(["ShopMSP"]))
    define(forge, definition(policy_pb2.ApplicationPolicy(signature_policy=alone)))
    pears = rwset(writes={"pears": b"1"})
    forge.append([forge.envelope(pears, **by(forge, "shop"))], writes=[("pears", b"1", 0)])
    forge.append([forge.envelope(pears, **by(forge, "farm", "truck"))], [REFUSED])
    assert found_in(forge) == []


def test_a_chaincode_that_refers_to_the_channels_policy(forge: Forge) -> None:
    path = "/Channel/Application/Endorsement"
    define(forge, definition(policy_pb2.ApplicationPolicy(channel_config_policy_reference=path)))
    pears = rwset(writes={"pears": b"1"})
    forge.append([forge.envelope(pears, **by(forge, "shop"))], [REFUSED])
    forge.append([forge.envelope(pears, **by(forge, "farm", "truck"))], writes=[("pears", b"1", 0)])
    assert found_in(forge) == []


@pytest.mark.parametrize("content", [b"\xff\xff", definition(policy_pb2.ApplicationPolicy())])
def test_a_definition_without_a_policy_lets_nobody_write(forge: Forge, content: bytes) -> None:
    define(forge, content)
    forge.append([forge.envelope(rwset(writes={"pears": b"1"}))], [REFUSED])
    assert found_in(forge) == []


def test_a_definition_needs_the_majority_for_the_lifecycle(forge: Forge) -> None:
    key = f"namespaces/fields/{CHAINCODE}/ValidationInfo"
    alone = forge.envelope(rwset(writes={key: b"x"}), chaincode="_lifecycle", **by(forge, "farm"))
    forge.append([alone], [REFUSED])
    assert found_in(forge) == []
