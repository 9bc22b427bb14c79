"""Errors of a gateway, with what each peer said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

SENSELESS = grpc.StatusCode.DATA_LOSS
"""The code of answers that cannot be read, or say what no peer says."""
_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True)
class ErrorDetail:
    """One peer's or orderer's own words."""

    address: str
    msp_id: str
    message: str


class GatewayError(Exception):
    """A call to the gateway failed. ``code`` is gRPC's; ``details`` what the peers involved said."""

    def __init__(
        self, message: str, code: grpc.StatusCode, details: list[ErrorDetail], transaction_id: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = details
        self.transaction_id = transaction_id

    def __str__(self) -> str:
        said = "; ".join(f"{detail.msp_id} {detail.address}: {detail.message}" for detail in self.details)
        return f"{self.code.name}: {self.message}" + (f" ({said})" if said else "")


class EvaluateError(GatewayError):
    """A query failed."""


class EndorseError(GatewayError):
    """A proposal was not endorsed: nothing reached the orderer."""


class SubmitError(GatewayError):
    """An endorsed transaction may not have reached the orderer: send the same one again."""


class CommitStatusError(GatewayError):
    """The transaction was sent, but its fate is not known yet: ask again."""


class EventsError(GatewayError):
    """A stream of events ended: open it again from the last checkpoint."""


class CommitError(Exception):
    """The transaction is in a block and was found invalid: it changed nothing."""

    def __init__(self, transaction_id: str, code: int, block_number: int) -> None:
        self.transaction_id = transaction_id
        self.code = code
        known = code in transaction_pb2.TxValidationCode.values()
        self.code_name = transaction_pb2.TxValidationCode.Name(code) if known else f"code {code}"
        self.block_number = block_number
        super().__init__(f"transaction {transaction_id} failed to commit with status code {code} ({self.code_name})")


def from_rpc(kind: type[GatewayError], error: grpc.aio.AioRpcError, transaction_id: str = "") -> GatewayError:
    """A gateway error of the given kind from gRPC's, with the peers' details decoded."""
    return kind(error.details() or "", error.code(), _details(error), transaction_id)


def senseless(kind: type[GatewayError], what: str, transaction_id: str = "") -> GatewayError:
    """For an answer that arrived and is not what the protocol knows: another peer may do better."""
    return kind(f"the peer's answer makes no sense: {what}", SENSELESS, [], transaction_id)


def _details(error: grpc.aio.AioRpcError) -> list[ErrorDetail]:
    found: list[ErrorDetail] = []
    metadata: Any = error.trailing_metadata() or ()  # the stubs call it a single pair
    for key, value in metadata:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            found.extend(_unpack(any_) for any_ in _Status.FromString(value).details if _is_detail(any_))
    return found


def _is_detail(any_: any_pb2.Any) -> bool:
    return any_.Is(gateway_pb2.ErrorDetail.DESCRIPTOR)


def _unpack(any_: any_pb2.Any) -> ErrorDetail:
    detail = gateway_pb2.ErrorDetail()
    any_.Unpack(detail)
    return ErrorDetail(detail.address, detail.msp_id, detail.message)


def _status_class() -> Any:
    """google.rpc.Status, whose own package needs a newer protobuf than Fabric's messages allow."""
    file = descriptor_pb2.FileDescriptorProto(
        name="lotline/rpc_status.proto",
        package="lotline.rpc",
        syntax="proto3",
        dependency=["google/protobuf/any.proto"],
    )
    message = file.message_type.add(name="Status")
    field = descriptor_pb2.FieldDescriptorProto
    message.field.add(name="code", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    message.field.add(name="message", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    message.field.add(
        name="details", number=3, type=field.TYPE_MESSAGE, label=field.LABEL_REPEATED, type_name=".google.protobuf.Any"
    )
    pool = descriptor_pool.Default()  # type: ignore[no-untyped-call]
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("lotline.rpc.Status"))


_Status = _status_class()
