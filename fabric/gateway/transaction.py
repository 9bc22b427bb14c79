"""Endorsed transactions and their fate."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2
from google.protobuf.message import DecodeError

from fabric.gateway.errors import CommitError
from fabric.gateway.session import Session
from fabric.gateway.signable import Signable
from fabric.words.transaction import Endorsed, open_envelope


@dataclass(frozen=True)
class Status:
    """Where a transaction ended: its block and validation code (transaction_pb2.TxValidationCode)."""

    transaction_id: str
    block_number: int
    code: int

    @property
    def successful(self) -> bool:
        """Whether it changed the state."""
        return self.code == transaction_pb2.VALID


class Transaction(Signable):
    """An endorsed transaction, ready for the orderers."""

    def __init__(self, session: Session, prepared: gateway_pb2.PreparedTransaction) -> None:
        """Raises ValueError for an envelope that holds no endorsed transaction of the id it is to have."""
        super().__init__(session)
        self._prepared = prepared
        self._channel, self._result = _parse(prepared)

    @property
    def transaction_id(self) -> str:
        """Its id."""
        return self._prepared.transaction_id

    @property
    def result(self) -> bytes:
        """What the contract answered; it counts once the transaction is committed and valid."""
        return self._result

    @property
    def payload(self) -> bytes:
        """The call, the answer and the endorsers' signatures (``common.Payload``): evidence also where it is never ordered."""
        return self._prepared.envelope.payload

    def to_bytes(self) -> bytes:
        """For signing elsewhere, or to keep until it is known to be committed."""
        return self._prepared.SerializeToString()

    def _message(self) -> bytes:
        return self._prepared.envelope.payload

    def _signature(self) -> bytes:
        return self._prepared.envelope.signature

    def _set_signature(self, signature: bytes) -> None:
        self._prepared.envelope.signature = signature

    async def submit(self) -> Commit:
        """Hand it to the orderers; raises SubmitError, after which sending the same one again is safe."""
        self.sign()
        request = gateway_pb2.SubmitRequest(
            transaction_id=self.transaction_id, channel_id=self._channel, prepared_transaction=self._prepared.envelope
        )
        await self._session.client.submit(request)
        return self.commit()

    def commit(self) -> Commit:
        """The commit to ask after, also for a transaction that was sent earlier."""
        return Commit.of(self._session, self._channel, self.transaction_id, self._result)


class Commit(Signable):
    """A transaction on its way into a block."""

    def __init__(self, session: Session, signed: gateway_pb2.SignedCommitStatusRequest, result: bytes = b"") -> None:
        super().__init__(session)
        self._signed = signed
        self._request = gateway_pb2.CommitStatusRequest.FromString(signed.request)
        self.result = result

    @classmethod
    def of(cls, session: Session, channel: str, transaction_id: str, result: bytes = b"") -> Commit:
        """Ask after a transaction by its id."""
        request = gateway_pb2.CommitStatusRequest(
            transaction_id=transaction_id, channel_id=channel, identity=session.identity.creator
        )
        return cls(session, gateway_pb2.SignedCommitStatusRequest(request=request.SerializeToString()), result)

    @property
    def transaction_id(self) -> str:
        """The transaction's id."""
        return self._request.transaction_id

    def to_bytes(self) -> bytes:
        """For signing elsewhere."""
        return self._signed.SerializeToString()

    def _message(self) -> bytes:
        return self._signed.request

    def _signature(self) -> bytes:
        return self._signed.signature

    def _set_signature(self, signature: bytes) -> None:
        self._signed.signature = signature

    async def status(self) -> Status:
        """Wait for the block; raises CommitStatusError when the answer does not come in time (ask again)."""
        self.sign()
        answer = await self._session.client.commit_status(self._signed, self.transaction_id)
        return Status(self.transaction_id, answer.block_number, answer.result)

    async def successful(self) -> Status:
        """As ``status``, and raises CommitError for a transaction that was found invalid."""
        status = await self.status()
        if not status.successful:
            raise CommitError(status.transaction_id, status.code, status.block_number)
        return status


def _parse(prepared: gateway_pb2.PreparedTransaction) -> tuple[str, bytes]:
    """The channel and the contract's payload."""
    try:
        payload, channel = open_envelope(prepared.envelope)
        result = bytes(Endorsed.read(payload.data).result.response.payload)
    except (DecodeError, ValueError) as error:
        raise ValueError(f"no endorsed transaction: {error}") from error
    if (channel.type, channel.tx_id) != (common_pb2.ENDORSER_TRANSACTION, prepared.transaction_id):
        raise ValueError(f"type {channel.type}, id {channel.tx_id!r} is not transaction {prepared.transaction_id}")
    return channel.channel_id, result
