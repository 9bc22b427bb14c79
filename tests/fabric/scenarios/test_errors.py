"""Scenarios `errors` and `discovery`: what the caller is told when things go wrong, by whom."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from fabric.gateway import CommitError, EndorseError, EvaluateError, GatewayError
from tests.fabric.scenarios.conftest import Connect, World

pytestmark = pytest.mark.fabric


@pytest.fixture(scope="module")
def errors(world: World) -> str:
    return world.deploy("errors", "all")


@pytest.fixture(scope="module")
def basic(world: World) -> str:
    return world.deploy("basic", "all")


FAILED = "failed to endorse transaction, see attached details for more info"
NOT_ENOUGH = "failed to collect enough transaction endorsements, see attached details for more info"
ORG1 = ("peer0.org1.local", "peer1.org1.local")
OTHERS = ("peer0.org2.local", "peer1.org2.local", "peer0.org3.local")


async def test_errors_1_too_few_arguments(connect: Connect, errors: str, world: World) -> None:
    contract = (await connect()).contract(errors)
    told = "chaincode response 400, Expected 1 parameters, but 0 have been supplied"
    with pytest.raises(EvaluateError) as evaluated:
        await contract.evaluate("exists")
    assert evaluated.value.code is grpc.StatusCode.UNKNOWN
    assert evaluated.value.message == f"evaluate call to endorser returned error: {told}"
    assert world.said(evaluated.value, "peer0.org1.local") == told
    with pytest.raises(EndorseError) as refused:
        await contract.submit("exists")
    assert (refused.value.code, refused.value.message) == (grpc.StatusCode.ABORTED, FAILED)
    assert world.said(refused.value, *ORG1) == told


async def test_errors_2_an_unknown_function(connect: Connect, errors: str, world: World) -> None:
    contract = (await connect()).contract(errors)
    told = "chaincode response 404, You've asked to invoke a function that does not exist: nonexist"
    with pytest.raises(EvaluateError) as evaluated:
        await contract.evaluate("nonexist")
    assert evaluated.value.code is grpc.StatusCode.UNKNOWN
    assert world.said(evaluated.value, "peer0.org1.local") == told
    with pytest.raises(EndorseError) as refused:
        await contract.submit("nonexist")
    assert (refused.value.code, refused.value.message) == (grpc.StatusCode.ABORTED, FAILED)
    assert world.said(refused.value, *ORG1) == told


async def test_errors_3_an_unknown_chaincode(connect: Connect) -> None:
    contract = (await connect()).contract("nosuchchaincode")
    with pytest.raises(EvaluateError) as evaluated:
        await contract.evaluate("anything")
    assert evaluated.value.message == "no peers available to evaluate chaincode nosuchchaincode in channel lotline"
    with pytest.raises(EndorseError) as refused:
        await contract.submit("anything")
    assert refused.value.message.endswith("No metadata was found for chaincode nosuchchaincode in channel lotline")
    for error in (evaluated.value, refused.value):
        assert (error.code, error.details) == (grpc.StatusCode.FAILED_PRECONDITION, [])


async def test_errors_4_a_crash_during_an_evaluate(connect: Connect, errors: str, world: World) -> None:
    """Every peer is asked, and each one's own chaincode server dies."""
    contract = (await connect()).contract(errors)
    with pytest.raises(EvaluateError) as crashed:
        await contract.evaluate("crash")
    assert crashed.value.code is grpc.StatusCode.ABORTED
    assert crashed.value.message == "failed to evaluate transaction, see attached details for more info"
    assert "chaincode stream terminated" in world.said(crashed.value, *ORG1, *OTHERS)
    await recovered(connect, errors)


async def test_errors_5_a_crash_during_a_submit(connect: Connect, errors: str, world: World) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EndorseError) as crashed:
        await contract.submit("crash")
    assert (crashed.value.code, crashed.value.message) == (grpc.StatusCode.ABORTED, FAILED)
    assert "chaincode stream terminated" in world.said(crashed.value, *ORG1)
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
    told = "error validating proposal: access denied: channel [lotline] creator org [Org1MSP]"
    with pytest.raises(EvaluateError) as evaluated:
        await user.contract(errors).evaluate("exists", "x")
    assert evaluated.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert world.said(evaluated.value, "peer0.org1.local") == told
    with pytest.raises(EndorseError) as refused:
        await user.contract(errors).submit("exists", "x")
    assert (refused.value.code, refused.value.message) == (grpc.StatusCode.ABORTED, FAILED)
    assert world.said(refused.value, *ORG1) == told


async def test_errors_7_some_organisations_refuse(connect: Connect, errors: str, world: World) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EndorseError) as refused:
        await contract.submit("orgsFail", "Org3MSP")
    assert (refused.value.code, refused.value.message) == (grpc.StatusCode.ABORTED, NOT_ENOUGH)
    told = world.said(refused.value, "peer0.org3.local")
    assert told == "chaincode response 500, Org3MSP refuses to endorse this"


async def test_errors_8_answers_that_differ(connect: Connect, errors: str, world: World) -> None:
    contract = (await connect()).contract(errors)
    with pytest.raises(EndorseError) as differ:
        await contract.submit("nondet")
    assert (differ.value.code, differ.value.message) == (grpc.StatusCode.ABORTED, NOT_ENOUGH)
    assert world.said(differ.value, *OTHERS) == "ProposalResponsePayloads do not match"


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
        if refused.value.code is grpc.StatusCode.FAILED_PRECONDITION:  # discovery knows already that it is gone
            assert refused.value.message.startswith("no combination of peers can be derived")
        else:
            assert (refused.value.code, refused.value.message) == (grpc.StatusCode.ABORTED, NOT_ENOUGH)
            assert "rpc error: code = Unavailable" in world.said(refused.value, "peer0.org3.local")
    finally:
        await asyncio.to_thread(world.network.start, "peer0.org3.local")
    for _ in range(300):
        try:
            assert await contract.submit("put", "k", "w") == b"w"
            return
        except GatewayError:
            await asyncio.sleep(0.2)
    raise AssertionError("nothing could be submitted after the peer was back")
