"""One stream from one peer: registration, then transactions, each in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from enum import Enum
from typing import Protocol

from fabric_protos.peer import chaincode_pb2, proposal_response_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Message

from fabric.shim.errors import StreamClosedError
from fabric.shim.exchange import Abilities, Exchange
from fabric.shim.stub import FabricStub
from fabric.words.response import Response

log = logging.getLogger(__name__)
_ERROR_STATUS = 500


class Contract(Protocol):
    """What the shim runs."""

    def init(self, stub: FabricStub) -> Response: ...

    def invoke(self, stub: FabricStub) -> Response: ...


class State(Enum):
    """Where the conversation with the peer stands."""

    CREATED = "created"
    ESTABLISHED = "established"
    READY = "ready"


class Stream:
    """The chaincode's half of the protocol. ``run`` reads to the end; answers leave through ``exchange.outgoing``."""

    def __init__(self, contract: Contract, package_id: str, workers: Executor) -> None:
        self.exchange = Exchange()
        self.state = State.CREATED
        self._contract = contract
        self._workers = workers
        self._under_way = 0
        self._less = threading.Condition()
        name = chaincode_pb2.ChaincodeID(name=package_id).SerializeToString()
        self.exchange.send(Message(type=Message.REGISTER, payload=name))

    def run(self, messages: Iterable[Message]) -> None:
        """Handle the peer's messages until the stream ends; then fail whatever still waits."""
        try:
            for message in messages:
                self.receive(message)
        except Exception as error:
            log.info("the stream to the peer ended: %s", type(error).__name__)
        finally:
            self.exchange.close()

    def finish(self, seconds: float) -> None:
        """End the stream as soon as no transaction is under way, and after so many seconds in any case."""
        with self._less:
            self._less.wait_for(lambda: self._under_way == 0, seconds)
        self.exchange.close()

    def receive(self, message: Message) -> None:
        """Handle one message of the peer."""
        kind = message.type
        if kind == Message.KEEPALIVE:
            self.exchange.send(message)
        elif kind in (Message.RESPONSE, Message.ERROR):
            self.exchange.answer(message)
        elif kind == Message.REGISTERED and self.state is State.CREATED:
            self.state = State.ESTABLISHED
        elif kind == Message.READY and self.state is State.ESTABLISHED:
            self.exchange.abilities = Abilities.parse(message.payload)
            self.state = State.READY
        elif kind in (Message.TRANSACTION, Message.INIT) and self.state is State.READY:
            with self._less:
                self._under_way += 1
            self._workers.submit(self._work, message)
        else:
            self._refuse(message, f"{Message.Type.Name(kind)} is not expected while {self.state.value}")

    def _work(self, message: Message) -> None:
        try:
            self._answer(message)
        finally:
            with self._less:
                self._under_way -= 1
                self._less.notify_all()

    def _answer(self, message: Message) -> None:
        call = self._contract.init if message.type == Message.INIT else self._contract.invoke
        try:
            self.exchange.send(self._run(message, call))
        except StreamClosedError:
            log.info("transaction %s was given up: the stream ended", message.txid[:8])
        except Exception as error:
            log.exception("transaction %s failed", message.txid[:8])
            self._refuse(message, f"{type(error).__name__}: {error}")

    def _run(self, message: Message, call: Callable[[FabricStub], Response]) -> Message:
        signed = message.proposal if message.HasField("proposal") else None
        arguments = chaincode_pb2.ChaincodeInput.FromString(message.payload)
        stub = FabricStub(self.exchange, message.channel_id, message.txid, arguments, signed)
        answer = call(stub)
        if message.type == Message.INIT and answer.status >= _ERROR_STATUS:
            return self._error(message, answer.message)
        stub.finish_write_batch()
        response = proposal_response_pb2.Response(status=answer.status, message=answer.message, payload=answer.payload)
        return Message(
            type=Message.COMPLETED,
            payload=response.SerializeToString(),
            txid=message.txid,
            channel_id=message.channel_id,
            chaincode_event=stub.event,
        )

    def _error(self, message: Message, text: str) -> Message:
        return Message(type=Message.ERROR, payload=text.encode(), txid=message.txid, channel_id=message.channel_id)

    def _refuse(self, message: Message, text: str) -> None:
        self.exchange.send(self._error(message, text))
