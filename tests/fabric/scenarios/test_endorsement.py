"""Scenarios `endorsement`, `privatedata` and `sbe`: who is asked, who may see, who must agree to a key's change."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib

import pytest

from fabric.gateway import CommitError, EndorseError, EvaluateError
from tests.fabric.scenarios.conftest import Connect, World

pytestmark = pytest.mark.fabric


@pytest.fixture(scope="module")
def private(world: World) -> str:
    return world.deploy("private", "any")


async def test_endorsement_1_an_evaluate_asks_the_gateways_own_organisation(connect: Connect, private: str) -> None:
    assert await (await connect()).contract(private).evaluate("getPeerOrg") == b"Org1MSP"
    assert await (await connect("Org3MSP")).contract(private).evaluate("getPeerOrg") == b"Org3MSP"


async def test_endorsement_2_an_evaluate_by_another_organisation(connect: Connect, private: str) -> None:
    contract = (await connect()).contract(private)
    assert await contract.evaluate("getPeerOrg", endorsing_organizations=["Org3MSP"]) == b"Org3MSP"


async def test_endorsement_3_a_submit_by_one_organisation(connect: Connect, private: str) -> None:
    contract = (await connect()).contract(private)
    done = await contract.submit("checkEndorsingOrg", transient={"Org2MSP": b""}, endorsing_organizations=["Org2MSP"])
    assert done == b"Peer mspid OK"


async def test_endorsement_4_a_submit_by_two_organisations(connect: Connect, private: str) -> None:
    contract = (await connect()).contract(private)
    asked = ["Org1MSP", "Org3MSP"]
    done = await contract.submit(
        "checkEndorsingOrg", transient=dict.fromkeys(asked, b""), endorsing_organizations=asked
    )
    assert done == b"Peer mspid OK"


async def test_endorsement_5_whoever_is_asked_besides_refuses(connect: Connect, private: str, world: World) -> None:
    contract = (await connect()).contract(private)
    with pytest.raises(EndorseError) as refused:
        await contract.submit(
            "checkEndorsingOrg", transient={"Org1MSP": b""}, endorsing_organizations=["Org1MSP", "Org2MSP"]
        )
    told = world.said(refused.value, "peer0.org2.local", "peer1.org2.local")
    assert told == "chaincode response 500, Org2MSP should not have been asked"


async def test_endorsement_6_an_evaluate_with_transient_data_stays_where_it_is_sent(
    connect: Connect, private: str
) -> None:
    contract = (await connect()).contract(private)
    answer = await contract.evaluate(
        "checkEndorsingOrg", transient={"Org3MSP": b""}, endorsing_organizations=["Org3MSP"]
    )
    assert answer == b"Peer mspid OK"


async def write(connect: Connect, private: str, msp_id: str, collection: str, key: str, **asked: list[str]) -> None:
    contract = (await connect(msp_id)).contract(private)
    await contract.submit("writePrivateData", collection, key, transient={"value": b"secret"}, **asked)


async def test_privatedata_1_a_member_writes_and_reads_its_own_collection(connect: Connect, private: str) -> None:
    await write(connect, private, "Org1MSP", "Org1Collection", "p1")
    assert await (await connect()).contract(private).evaluate("readPrivateData", "Org1Collection", "p1") == b"secret"


async def test_privatedata_2_the_gateway_finds_the_collections_endorser(connect: Connect, private: str) -> None:
    await write(connect, private, "Org3MSP", "Org3Collection", "p2")
    reader = (await connect("Org3MSP")).contract(private)
    assert await reader.evaluate("readPrivateData", "Org3Collection", "p2") == b"secret"


async def test_privatedata_3_others_cannot_read(connect: Connect, private: str) -> None:
    await write(connect, private, "Org1MSP", "Org1Collection", "p3")
    with pytest.raises(EvaluateError) as refused:
        await (await connect("Org3MSP")).contract(private).evaluate("readPrivateData", "Org1Collection", "p3")
    assert {detail.msp_id for detail in refused.value.details} == {"Org1MSP", "Org2MSP", "Org3MSP"}
    for detail in refused.value.details:
        assert "tx creator does not have read access permission" in detail.message
        assert detail.message.endswith("collectionName: Org1Collection")


async def test_privatedata_4_but_everybody_can_compare_its_hash(connect: Connect, private: str, world: World) -> None:
    await write(connect, private, "Org1MSP", "Org1Collection", "p4")
    await world.level()
    other = (await connect("Org2MSP")).contract(private)
    assert (
        await other.evaluate("privateDataHash", "Org1Collection", "p4")
        == hashlib.sha256(b"secret").hexdigest().encode()
    )


async def test_privatedata_5_members_share_a_collection(connect: Connect, private: str, world: World) -> None:
    await write(connect, private, "Org1MSP", "SharedCollection", "p5")
    assert await eventually(connect, private, "Org3MSP", "SharedCollection", "p5") == b"secret"


async def eventually(connect: Connect, private: str, msp_id: str, collection: str, key: str) -> bytes:
    """A private value, once it is there: it may reach another member's peer a while after the block."""
    reader = (await connect(msp_id)).contract(private)
    for _ in range(300):
        with contextlib.suppress(EvaluateError):  # "private data is not available yet"
            found = await reader.evaluate("readPrivateData", collection, key)
            if found:
                return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{msp_id} never got {collection} {key}")


async def test_privatedata_6_who_is_no_member_cannot_write_where_members_only_may(
    connect: Connect, private: str, world: World
) -> None:
    with pytest.raises(EndorseError) as refused:
        await write(connect, private, "Org2MSP", "SharedCollection", "p6")
    told = world.said(refused.value, "peer0.org2.local", "peer1.org2.local")
    assert "tx creator does not have write access permission" in told


async def test_privatedata_7_a_stranger_may_write_where_it_is_allowed(connect: Connect, private: str) -> None:
    await write(connect, private, "Org2MSP", "Org3Collection", "p7", endorsing_organizations=["Org3MSP"])
    assert await eventually(connect, private, "Org3MSP", "Org3Collection", "p7") == b"secret"


async def test_privatedata_8_the_wrong_endorser_is_found_out(connect: Connect, private: str) -> None:
    with pytest.raises(CommitError) as failed:
        await write(connect, private, "Org1MSP", "Org1Collection", "p8", endorsing_organizations=["Org2MSP"])
    assert failed.value.code_name == "ENDORSEMENT_POLICY_FAILURE"
    assert await (await connect()).contract(private).evaluate("readPrivateData", "Org1Collection", "p8") == b""


async def test_sbe_1_a_key_with_endorsers_of_its_own(connect: Connect, private: str, world: World) -> None:
    contract = (await connect()).contract(private)
    await contract.submit("setStateWithEndorser", "s1", "first", "Org1MSP")
    await world.level()
    await contract.submit("changeState", "s1", "second", endorsing_organizations=["Org1MSP"])
    assert await contract.evaluate("getState", "s1") == b"second"


async def test_sbe_2_the_wrong_endorser_fails_at_commit(connect: Connect, private: str, world: World) -> None:
    contract = (await connect()).contract(private)
    await contract.submit("setStateWithEndorser", "s2", "first", "Org1MSP")
    await world.level()
    with pytest.raises(CommitError) as failed:
        await contract.submit("changeState", "s2", "second", endorsing_organizations=["Org2MSP"])
    assert failed.value.code_name == "ENDORSEMENT_POLICY_FAILURE"
    assert await contract.evaluate("getState", "s2") == b"first"


async def test_sbe_3_the_gateway_finds_the_keys_endorsers_by_itself(
    connect: Connect, private: str, world: World
) -> None:
    contract = (await connect()).contract(private)
    await contract.submit("setStateWithEndorser", "s3", "first", "Org2MSP", "Org3MSP")
    await world.level()
    await contract.submit("changeState", "s3", "second")
    assert await contract.evaluate("getState", "s3") == b"second"


async def test_sbe_4_endorsers_can_be_changed_by_those_that_are(connect: Connect, private: str, world: World) -> None:
    contract = (await connect()).contract(private)
    await contract.submit("setStateWithEndorser", "s4", "first", "Org1MSP")
    await world.level()
    await contract.submit("setStateEndorsers", "s4", "Org3MSP", endorsing_organizations=["Org1MSP"])
    await world.level()
    with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
        await contract.submit("changeState", "s4", "second", endorsing_organizations=["Org1MSP"])
    await contract.submit("changeState", "s4", "third", endorsing_organizations=["Org3MSP"])
    assert await contract.evaluate("getState", "s4") == b"third"


async def test_sbe_5_one_of_two_is_not_enough(connect: Connect, private: str, world: World) -> None:
    contract = (await connect()).contract(private)
    await contract.submit("setStateWithEndorser", "s5", "first", "Org1MSP", "Org3MSP")
    await world.level()
    with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
        await contract.submit("changeState", "s5", "second", endorsing_organizations=["Org3MSP"])
    await contract.submit("changeState", "s5", "third", endorsing_organizations=["Org1MSP", "Org3MSP"])
    assert await contract.evaluate("getState", "s5") == b"third"
