"""The gateway's five calls and the deliver streams, with deadlines and Lotline's errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.peer import events_pb2, events_pb2_grpc, proposal_response_pb2, transaction_pb2

from fabric.gateway.errors import (
    CommitStatusError,
    EndorseError,
    EvaluateError,
    EventsError,
    SubmitError,
    from_rpc,
    senseless,
)
from fabric.gateway.options import Deadlines

_CODES = frozenset(transaction_pb2.TxValidationCode.values())
_OK, _ERROR = 200, 400  # where the contract's good answers begin and end


class GatewayClient:
    """Raw calls over one channel; the channel belongs to whoever made it and is not closed here.

    gRPC gives None for bytes that are no message.
    """

    def __init__(self, channel: grpc.aio.Channel, deadlines: Deadlines) -> None:
        self._gateway = gateway_pb2_grpc.GatewayStub(channel)
        self._deliver = events_pb2_grpc.DeliverStub(channel)
        self._deadlines = deadlines

    async def evaluate(self, request: gateway_pb2.EvaluateRequest) -> proposal_response_pb2.Response:
        """Run a query on one peer."""
        try:
            answer = await self._gateway.Evaluate(request, timeout=self._deadlines.evaluate)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(EvaluateError, error, request.transaction_id) from error
        if answer is None or not _OK <= answer.result.status < _ERROR:
            raise senseless(EvaluateError, "no result of an evaluation", request.transaction_id)
        return answer.result

    async def endorse(self, request: gateway_pb2.EndorseRequest) -> common_pb2.Envelope:
        """Collect the endorsements that the policies ask for."""
        try:
            answer = await self._gateway.Endorse(request, timeout=self._deadlines.endorse)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(EndorseError, error, request.transaction_id) from error
        if answer is None:
            raise senseless(EndorseError, "no endorsed transaction", request.transaction_id)
        return answer.prepared_transaction

    async def submit(self, request: gateway_pb2.SubmitRequest) -> None:
        """Hand a signed transaction to the orderers."""
        try:
            answer = await self._gateway.Submit(request, timeout=self._deadlines.submit)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(SubmitError, error, request.transaction_id) from error
        if answer is None:
            raise senseless(SubmitError, "no receipt of a transaction", request.transaction_id)

    async def commit_status(
        self, request: gateway_pb2.SignedCommitStatusRequest, transaction_id: str
    ) -> gateway_pb2.CommitStatusResponse:
        """Wait until the transaction is in a block."""
        try:
            answer = await self._gateway.CommitStatus(request, timeout=self._deadlines.commit_status)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(CommitStatusError, error, transaction_id) from error
        if answer is None or not answer.block_number or answer.result not in _CODES:  # block 0 holds no transaction
            raise senseless(CommitStatusError, "no block and code of a transaction", transaction_id)
        return answer

    async def chaincode_events(
        self, request: gateway_pb2.SignedChaincodeEventsRequest
    ) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]:
        """Chaincode events, block by block, until the caller stops."""
        async for answer in _stream(self._gateway.ChaincodeEvents(request)):
            yield answer

    async def deliver(self, kind: str, envelope: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        """One of Deliver, DeliverFiltered and DeliverWithPrivateData, until the caller stops."""
        async for answer in _stream(getattr(self._deliver, kind)(), envelope):
            yield answer


async def _stream(call: Any, first: Any = None) -> AsyncIterator[Any]:
    """A call's answers; ``first`` is what a two-way stream begins with."""
    try:
        if first is not None:
            await call.write(first)
        async for answer in call:
            if answer is None:
                raise senseless(EventsError, "no event")
            yield answer
    except grpc.aio.AioRpcError as error:
        raise from_rpc(EventsError, error) from error
    finally:
        call.cancel()
