"""A peer's half of the chaincode protocol, over real gRPC: small, obvious, and able to misbehave."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, chaincode_shim_pb2_grpc, proposal_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Message
from google.protobuf import timestamp_pb2

_shim = chaincode_shim_pb2
SIZE = 100 * 1024 * 1024
PAGE = 3


class FakePeer:
    """Dials a chaincode server, registers it, and answers its requests from a dictionary."""

    def __init__(self, port: int, *, batches: bool = True, credentials: grpc.ChannelCredentials | None = None) -> None:
        options = [("grpc.max_receive_message_length", SIZE), ("grpc.max_send_message_length", SIZE)]
        address = f"localhost:{port}"
        self.channel = (
            grpc.insecure_channel(address, options)
            if credentials is None
            else grpc.secure_channel(address, credentials, options)
        )
        self._outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._call = chaincode_shim_pb2_grpc.ChaincodeStub(self.channel).Connect(self._messages())
        self._batches = batches
        self.state: dict[str, bytes] = {}
        self.policies: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.refuse: set[str] = set()
        self._queries: dict[str, list[tuple[str, bytes]]] = {}

    def _messages(self) -> Iterator[Any]:
        yield from iter(self._outgoing.get, None)

    def send(self, message: Any) -> None:
        self._outgoing.put(message)

    def receive(self) -> Any:
        return next(self._call)

    def register(self) -> str:
        """The handshake; returns the package id that the chaincode gave."""
        hello = self.receive()
        assert hello.type == Message.REGISTER
        self.send(Message(type=Message.REGISTERED))
        abilities = chaincode_pb2.ChaincodeAdditionalParams(
            use_write_batch=self._batches,
            max_size_write_batch=200,
            use_get_multiple_keys=self._batches,
            max_size_get_multiple_keys=200,
        )
        self.send(Message(type=Message.READY, payload=abilities.SerializeToString()))
        name: str = chaincode_pb2.ChaincodeID.FromString(hello.payload).name
        return name

    def invoke(self, *args: bytes, tx_id: str = "tx1", kind: int = Message.TRANSACTION) -> Any:
        """Run a transaction to its end, answering what it asks; returns the last message."""
        self.begin(*args, tx_id=tx_id, kind=kind)
        while True:
            message = self.receive()
            if message.type in (Message.COMPLETED, Message.ERROR):
                return message
            self.send(self.answer(message))

    def begin(self, *args: bytes, tx_id: str = "tx1", kind: int = Message.TRANSACTION) -> None:
        """Send a transaction."""
        call = chaincode_pb2.ChaincodeInput(args=list(args))
        self.send(
            Message(type=kind, payload=call.SerializeToString(), txid=tx_id, channel_id="ch", proposal=proposal())
        )

    def answer(self, message: Any) -> Any:
        """The response to a request, or the refusal."""
        name = Message.Type.Name(message.type)
        self.asked.append(name)
        reply = {"txid": message.txid, "channel_id": message.channel_id}
        if name in self.refuse:
            return Message(type=Message.ERROR, payload=f"{name} failed: no ledger context".encode(), **reply)
        return Message(type=Message.RESPONSE, payload=_ANSWERS[name](self, message.payload), **reply)

    def close(self) -> None:
        self._outgoing.put(None)
        self.channel.close()

    # --- what it answers

    def put(self, payload: bytes) -> bytes:
        request = _shim.PutState.FromString(payload)
        self.state[request.collection + request.key] = request.value
        return b""

    def get(self, payload: bytes) -> bytes:
        request = _shim.GetState.FromString(payload)
        return self.state.get(request.collection + request.key, b"")

    def get_many(self, payload: bytes) -> bytes:
        request = _shim.GetStateMultiple.FromString(payload)
        assert len(request.keys) <= 200
        values = [self.state.get(request.collection + key, b"") for key in request.keys]
        return bytes(_shim.GetStateMultipleResult(values=values).SerializeToString())

    def delete(self, payload: bytes) -> bytes:
        request = _shim.DelState.FromString(payload)
        self.state.pop(request.collection + request.key, None)
        return b""

    def write_batch(self, payload: bytes) -> bytes:
        records = _shim.WriteBatchState.FromString(payload).rec
        assert len(records) <= 200
        for record in records:
            key = record.collection + record.key
            if record.type == _shim.WriteRecord.PUT_STATE:
                self.state[key] = record.value
            elif record.type == _shim.WriteRecord.PUT_STATE_METADATA:
                self.policies[key] = record.metadata.value
            else:
                self.state.pop(key, None)
        return b""

    def put_policy(self, payload: bytes) -> bytes:
        request = _shim.PutStateMetadata.FromString(payload)
        self.policies[request.collection + request.key] = request.metadata.value
        return b""

    def get_policy(self, payload: bytes) -> bytes:
        request = _shim.GetStateMetadata.FromString(payload)
        found = self.policies.get(request.collection + request.key)
        entries = [] if found is None else [_shim.StateMetadata(metakey="VALIDATION_PARAMETER", value=found)]
        return bytes(_shim.StateMetadataResult(entries=entries).SerializeToString())

    def range(self, payload: bytes) -> bytes:
        request = _shim.GetStateByRange.FromString(payload)
        found = sorted(
            (k, v) for k, v in self.state.items() if request.startKey <= k < (request.endKey or "\U0010ffff")
        )
        if request.metadata:
            return self._one_page(found, _shim.QueryMetadata.FromString(request.metadata))
        self._queries["q1"] = found
        return self.next_page(_shim.QueryStateNext(id="q1").SerializeToString())

    def _one_page(self, found: list[tuple[str, bytes]], wanted: Any) -> bytes:
        rest = [pair for pair in found if pair[0] >= wanted.bookmark]
        page, after = rest[: wanted.pageSize], rest[wanted.pageSize :]
        info = _shim.QueryResponseMetadata(fetched_records_count=len(page), bookmark=after[0][0] if after else "")
        return bytes(_shim.QueryResponse(results=_results(page), metadata=info.SerializeToString()).SerializeToString())

    def next_page(self, payload: bytes) -> bytes:
        identifier = _shim.QueryStateNext.FromString(payload).id
        page, self._queries[identifier] = self._queries[identifier][:PAGE], self._queries[identifier][PAGE:]
        answer = _shim.QueryResponse(results=_results(page), has_more=bool(self._queries[identifier]), id=identifier)
        return bytes(answer.SerializeToString())

    def close_query(self, payload: bytes) -> bytes:
        self._queries.pop(_shim.QueryStateClose.FromString(payload).id)
        return b""


_ANSWERS: dict[str, Callable[[FakePeer, bytes], bytes]] = {
    "PUT_STATE": FakePeer.put,
    "GET_STATE": FakePeer.get,
    "GET_STATE_MULTIPLE": FakePeer.get_many,
    "DEL_STATE": FakePeer.delete,
    "WRITE_BATCH_STATE": FakePeer.write_batch,
    "PUT_STATE_METADATA": FakePeer.put_policy,
    "GET_STATE_METADATA": FakePeer.get_policy,
    "GET_STATE_BY_RANGE": FakePeer.range,
    "QUERY_STATE_NEXT": FakePeer.next_page,
    "QUERY_STATE_CLOSE": FakePeer.close_query,
}


def _results(page: list[tuple[str, bytes]]) -> list[Any]:
    return [
        _shim.QueryResultBytes(resultBytes=kv_query_result_pb2.KV(key=key, value=value).SerializeToString())
        for key, value in page
    ]


def proposal(transient: dict[str, bytes] | None = None) -> Any:
    """A signed proposal of somebody."""
    channel = common_pb2.ChannelHeader(
        type=common_pb2.ENDORSER_TRANSACTION, channel_id="ch", timestamp=timestamp_pb2.Timestamp(seconds=1_700_000_000)
    )
    header = common_pb2.Header(
        channel_header=channel.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=b"somebody", nonce=b"n" * 24).SerializeToString(),
    )
    payload = proposal_pb2.ChaincodeProposalPayload(TransientMap=transient or {"pin": b"4711"})
    inner = proposal_pb2.Proposal(header=header.SerializeToString(), payload=payload.SerializeToString())
    return proposal_pb2.SignedProposal(proposal_bytes=inner.SerializeToString(), signature=b"s")
