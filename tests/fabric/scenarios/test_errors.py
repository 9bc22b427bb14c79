"""Scenarios `errors` and `discovery`: what the caller is told when things go wrong, by whom."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from ledger.fabric import CommitError, EndorseError, EvaluateError, GatewayError
from tests.fabric.scenarios.conftest import Connect, World

pytestmark = pytest.mark.fabric


@pytest.fixture(scope="module")
def errors(world: World) -> str:
    return world.deploy("errors", "all")


@pytest.fixture(scope="module")
def basic(world: World) -> str:
    return world.deploy("basic", "all")


async def test_errors_1_too_few_arguments(connect: Connect, errors: str) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EvaluateError, match="Expected 1 parameters, but 0 have been supplied"):
        await contract.evaluate("exists")
    with pytest.raises(EndorseError) as refused:
        await contract.submit("exists")
    assert "Expected 1 parameters, but 0 have been supplied" in refused.value.details[0].message


async def test_errors_2_an_unknown_function(connect: Connect, errors: str) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EvaluateError, match="function that does not exist: nonexist"):
        await contract.evaluate("nonexist")


async def test_errors_3_an_unknown_chaincode(connect: Connect) -> None:
    contract = (await connect()).contract("nosuchchaincode")
    with pytest.raises(EndorseError) as refused:
        await contract.submit("anything")
    assert refused.value.code in (
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.UNAVAILABLE,
    )
    assert "nosuchchaincode" in str(refused.value)


async def test_errors_4_a_crash_during_an_evaluate(connect: Connect, errors: str) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EvaluateError) as crashed:
        await contract.evaluate("crash")
    assert any("chaincode stream terminated" in detail.message for detail in crashed.value.details)
    await recovered(connect, errors)


async def test_errors_5_a_crash_during_a_submit(connect: Connect, errors: str) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EndorseError) as crashed:
        await contract.submit("crash")
    assert crashed.value.code is grpc.StatusCode.ABORTED
    assert crashed.value.details
    await recovered(connect, errors)


async def recovered(connect: Connect, errors: str) -> None:
    """Chaincode servers are started again, and peers dial them anew, all of them."""
    contract = (await connect()).contract(errors)
    last: GatewayError | None = None
    for _ in range(200):
        try:
            await contract.submit("exists", "x")
            return
        except GatewayError as error:
            last = error
            await asyncio.sleep(0.1)
    raise AssertionError(f"the chaincode never came back: {last}")


async def test_errors_6_a_signature_with_another_organisations_key(connect: Connect, errors: str, world: World) -> None:
    user = await connect("Org1MSP", key=world.credentials("Org2MSP")[1])
    with pytest.raises(EvaluateError) as refused:
        await user.contract(errors).evaluate("exists", "x")
    assert "access denied" in str(refused.value)


async def test_errors_7_some_organisations_refuse(connect: Connect, errors: str) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EndorseError) as refused:
        await contract.submit("orgsFail", "Org3MSP")
    assert refused.value.code is grpc.StatusCode.ABORTED
    assert {detail.msp_id for detail in refused.value.details} == {"Org3MSP"}
    assert "Org3MSP refuses to endorse this" in refused.value.details[0].message


async def test_errors_8_answers_that_differ(connect: Connect, errors: str) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EndorseError) as differ:
        await contract.submit("nondet")
    assert differ.value.code is grpc.StatusCode.ABORTED
    assert "ProposalResponsePayloads do not match" in str(differ.value)


async def test_errors_9_too_few_endorsers_fail_at_commit(connect: Connect, errors: str) -> None:
    contract = (await connect()).contract(errors)
    proposal = contract.new_proposal("exists", ["x"], endorsing_organizations=["Org1MSP"])
    commit = await (await proposal.endorse()).submit()
    with pytest.raises(CommitError) as failed:
        await commit.successful()
    assert failed.value.code_name == "ENDORSEMENT_POLICY_FAILURE"
    assert failed.value.transaction_id == proposal.transaction_id


async def test_discovery_1_all_peers_are_there(connect: Connect, basic: str) -> None:
    assert await (await connect()).contract(basic).submit("put", "k", "v") == b"v"


async def test_discovery_2_a_needed_organisations_only_peer_is_stopped(
    connect: Connect, basic: str, world: World
) -> None:
    contract = (await connect()).contract(basic)
    await asyncio.to_thread(world.network.stop, "peer0.org3.local")
    try:
        with pytest.raises(EndorseError) as refused:
            await contract.submit("put", "k", "w")
        assert refused.value.code in (
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.FAILED_PRECONDITION,
            grpc.StatusCode.ABORTED,
        )
    finally:
        await asyncio.to_thread(world.network.start, "peer0.org3.local")
    for _ in range(300):
        try:
            assert await contract.submit("put", "k", "w") == b"w"
            return
        except GatewayError:
            await asyncio.sleep(0.2)
    raise AssertionError("nothing could be submitted after the peer was back")
