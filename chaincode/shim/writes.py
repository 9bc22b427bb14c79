"""A transaction's writes, kept until the peer can take them in one message."""

from __future__ import annotations

from fabric_protos.peer import chaincode_shim_pb2
from fabric_protos.peer.chaincode_shim_pb2 import WriteRecord as Record

__all__ = ["DELETE", "METADATA", "PURGE", "PUT", "Record", "WriteBatch"]

PUT = Record.PUT_STATE
DELETE = Record.DEL_STATE
PURGE = Record.PURGE_PRIVATE_DATA
METADATA = Record.PUT_STATE_METADATA


class WriteBatch:
    """The last write of every (collection, key, data or metadata), in order of the first."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str, bool], Record] = {}

    def add(self, record: Record) -> None:
        """Remember a write; a later one of the same key takes its place."""
        self._records[(record.collection, record.key, record.type == METADATA)] = record

    def messages(self, size: int) -> list[bytes]:
        """The writes as payloads of WRITE_BATCH_STATE with at most ``size`` records each."""
        records = list(self._records.values())
        return [
            chaincode_shim_pb2.WriteBatchState(rec=records[start : start + size]).SerializeToString()
            for start in range(0, len(records), size)
        ]
