"""Requests for blocks: the signed envelope of the deliver service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from google.protobuf import timestamp_pb2

from fabric.gateway.checkpoint import Checkpoint
from fabric.gateway.errors import EventsError, senseless
from fabric.gateway.session import Session
from fabric.gateway.signable import Signable

_FOR_EVER = 2**64 - 1


def seek_position(start_block: int | None, checkpoint: Checkpoint | None) -> ab_pb2.SeekPosition:
    """Where to begin: the checkpoint's block, else ``start_block``, else the next block to be committed."""
    number = checkpoint.block_number if checkpoint is not None and checkpoint.block_number is not None else start_block
    if number is None:
        return ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit())
    if number < 0:
        raise ValueError(f"a block number is not negative: {number}")
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=number))


class BlocksRequest(Signable):
    """Blocks of a channel, whole, filtered or with private data, from a position on."""

    #: name of the deliver call, and the field of its answer
    kinds = {  # noqa: RUF012
        "block": ("Deliver", "block"),
        "filtered": ("DeliverFiltered", "filtered_block"),
        "private": ("DeliverWithPrivateData", "block_and_private_data"),
    }

    def __init__(self, session: Session, kind: str, envelope: common_pb2.Envelope) -> None:
        super().__init__(session)
        self._call, self._field = self.kinds[kind]
        self._envelope = envelope

    @classmethod
    def create(cls, session: Session, kind: str, channel: str, start: ab_pb2.SeekPosition) -> BlocksRequest:
        """An unsigned request."""
        now = timestamp_pb2.Timestamp()
        now.GetCurrentTime()
        channel_header = common_pb2.ChannelHeader(
            type=common_pb2.DELIVER_SEEK_INFO,
            channel_id=channel,
            timestamp=now,
            tls_cert_hash=session.tls_certificate_hash,
        )
        header = common_pb2.Header(
            channel_header=channel_header.SerializeToString(),
            signature_header=common_pb2.SignatureHeader(creator=session.identity.creator).SerializeToString(),
        )
        stop = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=_FOR_EVER))
        seek = ab_pb2.SeekInfo(start=start, stop=stop, behavior=ab_pb2.SeekInfo.BLOCK_UNTIL_READY)
        payload = common_pb2.Payload(header=header, data=seek.SerializeToString())
        return cls(session, kind, common_pb2.Envelope(payload=payload.SerializeToString()))

    def to_bytes(self) -> bytes:
        """For signing elsewhere."""
        return self._envelope.SerializeToString()

    def _message(self) -> bytes:
        return self._envelope.payload

    def _signature(self) -> bytes:
        return self._envelope.signature

    def _set_signature(self, signature: bytes) -> None:
        self._envelope.signature = signature

    async def events(self) -> AsyncIterator[Any]:
        """The blocks, for ever; raises EventsError when the stream ends or is refused."""
        self.sign()
        async for answer in self._session.client.deliver(self._call, self._envelope):
            if answer.WhichOneof("Type") == "status":
                raise refused(answer.status)
            if answer.WhichOneof("Type") != self._field:
                raise senseless(EventsError, f"{answer.WhichOneof('Type') or 'nothing'} instead of a block")
            yield getattr(answer, self._field)


def refused(status: int) -> Exception:
    """The deliver service's own refusal as an error."""
    name = common_pb2.Status.Name(status) if status in common_pb2.Status.values() else f"status {status}"
    code = grpc.StatusCode.PERMISSION_DENIED if status == common_pb2.FORBIDDEN else grpc.StatusCode.ABORTED
    return EventsError(f"the peer's deliver service answered {name}", code, [])
