"""Scenarios `transactions` and `offlinesign`: evaluate, submit, transient data, errors, signatures made elsewhere."""

from __future__ import annotations

import asyncio
import json

import grpc
import pytest

from fabric.gateway import EndorseError, EvaluateError, UnsignedError, private_key_signer
from tests.fabric.scenarios.conftest import Connect, World

pytestmark = pytest.mark.fabric


@pytest.fixture(scope="module")
def basic(world: World) -> str:
    return world.deploy("basic", "two")


async def test_transactions_1_evaluate(connect: Connect, basic: str) -> None:
    contract = (await connect()).contract(basic)
    assert await contract.evaluate("echo", "hello") == b"hello"


async def test_transactions_2_submit(connect: Connect, basic: str) -> None:
    contract = (await connect()).contract(basic)
    assert await contract.submit("echo", b"\xff\x00") == b"\xff\x00"


async def test_transactions_3_a_submit_updates_the_ledger_an_evaluate_does_not(connect: Connect, basic: str) -> None:
    contract = (await connect()).contract(basic)
    await contract.evaluate("put", "colour", "red")
    assert await contract.evaluate("get", "colour") == b""
    assert await contract.submit("put", "colour", "blue") == b"blue"
    other = (await connect("Org2MSP")).contract(basic)
    async with asyncio.timeout(30):
        while await other.evaluate("get", "colour") != b"blue":  # another peer may get the block a moment later
            await asyncio.sleep(0.05)


async def test_transactions_4_transient_data_of_an_evaluate(connect: Connect, basic: str) -> None:
    contract = (await connect()).contract(basic)
    answer = await contract.evaluate("echoTransient", transient={"key1": b"value1", "key2": b"value2"})
    assert json.loads(answer) == {"key1": "value1", "key2": "value2"}


async def test_transactions_5_transient_data_of_a_submit(connect: Connect, basic: str) -> None:
    contract = (await connect()).contract(basic)
    answer = await contract.submit("echoTransient", transient={"key1": b"value1"})
    assert json.loads(answer) == {"key1": "value1"}


async def test_transactions_6_the_contracts_own_errors(connect: Connect, basic: str, world: World) -> None:
    contract = (await connect()).contract(basic)
    with pytest.raises(EvaluateError) as evaluated:
        await contract.evaluate("errorMessage", "out of order")
    assert evaluated.value.code is grpc.StatusCode.UNKNOWN
    assert "chaincode response 500, out of order" in evaluated.value.message
    with pytest.raises(EndorseError) as endorsed:
        await contract.submit("errorMessage", "out of order")
    assert endorsed.value.code is grpc.StatusCode.ABORTED
    assert "failed to endorse transaction" in endorsed.value.message
    told = world.said(endorsed.value, "peer0.org1.local", "peer1.org1.local")
    assert told == "chaincode response 500, out of order"


async def test_offlinesign_1_an_unsigned_evaluate_fails(connect: Connect, basic: str) -> None:
    contract = (await connect(signing=False)).contract(basic)
    with pytest.raises(UnsignedError):
        await contract.evaluate("echo", "hello")


async def test_offlinesign_2_an_unsigned_submit_fails(connect: Connect, basic: str) -> None:
    contract = (await connect(signing=False)).contract(basic)
    with pytest.raises(UnsignedError):
        await contract.submit("echo", "hello")


async def test_offlinesign_3_evaluate_signed_elsewhere(connect: Connect, basic: str, world: World) -> None:
    user = await connect(signing=False)
    sign, _ = private_key_signer(world.credentials("Org1MSP")[1])
    unsigned = user.contract(basic).new_proposal("echo", ["hello"])
    signed = user.gateway.new_signed_proposal(unsigned.to_bytes(), sign(unsigned.digest))
    assert signed.transaction_id == unsigned.transaction_id
    assert await signed.evaluate() == b"hello"


async def test_offlinesign_4_every_step_of_a_submit_signed_elsewhere(
    connect: Connect, basic: str, world: World
) -> None:
    user = await connect(signing=False)
    sign, _ = private_key_signer(world.credentials("Org1MSP")[1])
    proposal = user.contract(basic).new_proposal("put", ["where", "elsewhere"])
    endorsed = await user.gateway.new_signed_proposal(proposal.to_bytes(), sign(proposal.digest)).endorse()
    assert endorsed.result == b"elsewhere"
    ready = user.gateway.new_signed_transaction(endorsed.to_bytes(), sign(endorsed.digest))
    commit = await ready.submit()
    status = await user.gateway.new_signed_commit(commit.to_bytes(), sign(commit.digest)).status()
    assert status.successful
    assert status.transaction_id == proposal.transaction_id
