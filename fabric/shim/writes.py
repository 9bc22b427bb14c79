"""A transaction's writes, kept until the peer can take them in one message."""

from __future__ import annotations

from typing import Any

from fabric_protos.peer import chaincode_shim_pb2
from fabric_protos.peer.chaincode_shim_pb2 import WriteRecord as Record

__all__ = ["DELETE", "METADATA", "PURGE", "PUT", "WriteBatch"]

PUT = Record.PUT_STATE
DELETE = Record.DEL_STATE
PURGE = Record.PURGE_PRIVATE_DATA
METADATA = Record.PUT_STATE_METADATA


class WriteBatch:
    """The last write of every (collection, key, data or metadata), in order of the first."""

    def __init__(self) -> None:
        self._writes: dict[tuple[str, str, bool], dict[str, Any]] = {}

    def add(self, kind: int, collection: str, key: str, **content: Any) -> None:
        """Remember a write (fields of a WriteRecord); a later one of the same key takes its place."""
        fields = {"type": kind, "collection": collection, "key": key, **content}
        self._writes[(collection, key, kind == METADATA)] = fields

    def messages(self, size: int) -> list[bytes]:
        """The writes as payloads of WRITE_BATCH_STATE with at most ``size`` records each."""
        writes = list(self._writes.values())
        return [_message(writes[start : start + size]) for start in range(0, len(writes), size)]


def _message(writes: list[dict[str, Any]]) -> bytes:
    batch = chaincode_shim_pb2.WriteBatchState()
    for fields in writes:
        batch.rec.add(**fields)  # made in place: assigning a list would copy every value
    return batch.SerializeToString()
