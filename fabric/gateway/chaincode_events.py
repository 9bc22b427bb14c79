"""Events that contracts set, one a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2

from fabric.gateway.session import Session
from fabric.gateway.signable import Signable


@dataclass(frozen=True)
class ChaincodeEvent:
    """An event of a valid transaction."""

    block_number: int
    transaction_id: str
    chaincode: str
    name: str
    payload: bytes


class ChaincodeEventsRequest(Signable):
    """A chaincode's events from a position on."""

    def __init__(self, session: Session, signed: gateway_pb2.SignedChaincodeEventsRequest) -> None:
        super().__init__(session)
        self._signed = signed

    @classmethod
    def create(
        cls, session: Session, channel: str, chaincode: str, start: ab_pb2.SeekPosition, after: str
    ) -> ChaincodeEventsRequest:
        """An unsigned request. ``after`` must be a transaction of the start block, or no event ever comes."""
        request = gateway_pb2.ChaincodeEventsRequest(
            channel_id=channel,
            chaincode_id=chaincode,
            identity=session.identity.creator,
            start_position=start,
            after_transaction_id=after,
        )
        return cls(session, gateway_pb2.SignedChaincodeEventsRequest(request=request.SerializeToString()))

    def to_bytes(self) -> bytes:
        """For signing elsewhere."""
        return self._signed.SerializeToString()

    def _message(self) -> bytes:
        return self._signed.request

    def _signature(self) -> bytes:
        return self._signed.signature

    def _set_signature(self, signature: bytes) -> None:
        self._signed.signature = signature

    async def events(self) -> AsyncIterator[ChaincodeEvent]:
        """The events, for ever; raises EventsError when the stream ends: open it again from a checkpoint."""
        self.sign()
        async for answer in self._session.client.chaincode_events(self._signed):
            for event in answer.events:
                yield ChaincodeEvent(
                    answer.block_number, event.tx_id, event.chaincode_id, event.event_name, event.payload
                )
