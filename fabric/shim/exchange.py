"""Requests to the peer and their answers, over one stream.

Fabric allows one outstanding request per transaction, so an answer is matched by channel and transaction id. All
messages leave through one queue: gRPC does not order writes that come from several threads.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass

from fabric_protos.peer import chaincode_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Message

from fabric.shim.errors import PeerError, StreamClosedError

_MINIMUM_BATCH = 100  # the Go shim's floor: a peer that says less is not believed


@dataclass(frozen=True)
class Abilities:
    """What the peer said it can do in its READY message (Fabric v3.1 and later)."""

    write_batch: bool = False
    write_batch_size: int = _MINIMUM_BATCH
    multiple_keys: bool = False
    multiple_keys_size: int = _MINIMUM_BATCH

    @classmethod
    def parse(cls, payload: bytes) -> Abilities:
        params = chaincode_pb2.ChaincodeAdditionalParams.FromString(payload)
        return cls(
            write_batch=params.use_write_batch,
            write_batch_size=max(params.max_size_write_batch, _MINIMUM_BATCH),
            multiple_keys=params.use_get_multiple_keys,
            multiple_keys_size=max(params.max_size_get_multiple_keys, _MINIMUM_BATCH),
        )


class Exchange:
    """One stream's outgoing queue and the requests that wait for an answer. Safe to use from many threads."""

    def __init__(self) -> None:
        self.outgoing: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.abilities = Abilities()
        self._waiting: dict[tuple[str, str], Future[Message]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def send(self, message: Message) -> None:
        """Queue a message that expects no answer."""
        self.outgoing.put(message)

    def request(self, kind: int, payload: bytes, channel: str, tx_id: str) -> bytes:
        """Ask the peer and wait for its answer's payload.

        Raises PeerError if the peer answers ERROR, StreamClosedError if the stream ends first.
        """
        answer: Future[Message] = Future()
        key = (channel, tx_id)
        with self._lock:
            if self._closed:
                raise StreamClosedError("the stream to the peer is closed")
            if key in self._waiting:
                raise PeerError(f"transaction {tx_id[:8]} already has a request under way")
            self._waiting[key] = answer
        self.outgoing.put(Message(type=kind, payload=payload, txid=tx_id, channel_id=channel))
        reply = answer.result()
        if reply.type == Message.ERROR:
            raise PeerError(reply.payload.decode("utf-8", "replace"))
        return reply.payload

    def answer(self, message: Message) -> None:
        """Give a RESPONSE or ERROR to whoever asked; one that nobody waits for is dropped."""
        with self._lock:
            waiting = self._waiting.pop((message.channel_id, message.txid), None)
        if waiting is not None:
            waiting.set_result(message)

    def close(self) -> None:
        """End the stream: every waiting request fails with StreamClosedError."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(StreamClosedError("the stream to the peer ended"))
        self.outgoing.put(None)
