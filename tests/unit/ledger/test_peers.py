"""Which peer is asked next, and which is asked first the next time."""

from __future__ import annotations

import grpc
import pytest

from fabric.gateway.errors import EvaluateError, GatewayError
from ledger.network.peers import GatewayPeer, Peers

Code = grpc.StatusCode
AWAY = EvaluateError("connection refused", Code.UNAVAILABLE, [])
CATCHING_UP = EvaluateError(
    "no peers available to evaluate chaincode lotline in channel x", Code.FAILED_PRECONDITION, []
)
NO_HISTORY = EvaluateError(
    "chaincode response 500, cannot serve block [0]. The ledger is bootstrapped from a snapshot", Code.UNKNOWN, []
)
NO = EvaluateError("chaincode response 404, no such thing", Code.UNKNOWN, [])


class Answers:
    """Two peers, the first of which fails in one way."""

    def __init__(self, *failures: GatewayError) -> None:
        self.peers = Peers([GatewayPeer("localhost:1"), GatewayPeer("localhost:2")])
        self._failures = list(failures)

    async def ask(self) -> str:
        return await self.peers.ask(self._call)

    async def _call(self, channel: grpc.aio.Channel) -> str:
        if self._failures:
            raise self._failures.pop(0)
        return "answer"


@pytest.mark.parametrize(
    ("failure", "first"), [(AWAY, "localhost:2"), (CATCHING_UP, "localhost:2"), (NO_HISTORY, "localhost:1")]
)
async def test_the_next_peer_is_asked(failure: GatewayError, first: str) -> None:
    """And asked first from then on, except when the other only lacks old blocks."""
    answers = Answers(failure)
    assert await answers.ask() == "answer"
    assert answers.peers.in_order()[0].address == first


async def test_an_answer_is_an_answer() -> None:
    with pytest.raises(EvaluateError, match="no such thing"):
        await Answers(NO).ask()


async def test_when_nobody_answers_the_last_failure_is_told() -> None:
    with pytest.raises(EvaluateError, match="snapshot"):
        await Answers(AWAY, NO_HISTORY).ask()
