"""The embedded ledger's stub: runs a call on the world state and records what it read and wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2

from fabric.words.composite_keys import create_composite_key, partial_range, split_composite_key
from fabric.words.policy_messages import VALIDATION_PARAMETER
from fabric.words.proposal import Proposal


class Versioned(NamedTuple):
    """A committed value and the block that wrote it (its transaction is always number 0)."""

    value: bytes
    block: int


class WorldState(Protocol):
    """Committed values."""

    def get_many(self, keys: Sequence[str]) -> dict[str, Versioned]: ...

    def range(self, start: str, end: str) -> Iterator[tuple[str, Versioned]]: ...

    def policy(self, key: str) -> bytes | None: ...


class Answer(Protocol):
    """What a contract answers."""

    @property
    def status(self) -> int: ...

    @property
    def message(self) -> str: ...

    @property
    def payload(self) -> bytes: ...


class Contract(Protocol):
    """What the ledger runs."""

    def invoke(self, stub: SimulationStub) -> Answer: ...


class SimulationStub:
    """One call's view of the world state. Reads never see the call's own writes, as in Fabric."""

    def __init__(self, state: WorldState, proposal: Proposal, channel: str, creator: bytes) -> None:
        self._state = state
        self._proposal = proposal
        self._channel = channel
        self._creator = creator
        self._reads: dict[str, Versioned | None] = {}
        self._ranges: dict[tuple[str, str], list[tuple[str, Versioned]]] = {}
        self.writes: dict[str, bytes | None] = {}
        self.policies: dict[str, bytes] = {}
        self.event: tuple[str, bytes] | None = None

    def args(self) -> list[bytes]:
        """Arguments, the function's name first."""
        return list(self._proposal.args)

    def get_function_and_parameters(self) -> tuple[str, list[bytes]]:
        """The function's name and its parameters."""
        first, *rest = self.args() or [b""]
        return first.decode("utf-8", "replace"), rest

    def get_tx_id(self) -> str:
        """The transaction id."""
        return self._proposal.tx_id

    def get_channel_id(self) -> str:
        """The channel."""
        return self._channel

    def get_tx_timestamp(self) -> datetime:
        """The proposal's time, aware, UTC."""
        return self._proposal.timestamp

    def get_creator(self) -> bytes:
        """The submitter's serialised identity."""
        return self._creator

    def get_transient(self) -> dict[str, bytes]:
        """Data that does not reach the ledger."""
        return dict(self._proposal.transient)

    def get_state(self, key: str) -> bytes | None:
        """The committed value of a key."""
        return self.get_multiple_states([key])[0]

    def get_multiple_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values of many keys."""
        missing = [key for key in keys if key not in self._reads]
        if missing:
            found = self._state.get_many(missing)
            for key in missing:
                self._reads[key] = found.get(key)
        return [None if (read := self._reads[key]) is None else read.value for key in keys]

    def put_state(self, key: str, value: bytes) -> None:
        """Write a value."""
        if not key or not value:
            raise ValueError("a key and its value must not be empty")
        self.writes[key] = value

    def del_state(self, key: str) -> None:
        """Delete a key."""
        self.writes[key] = None

    def set_state_validation_parameter(self, key: str, policy: bytes) -> None:
        """Give a key an endorsement policy of its own."""
        self.policies[key] = policy

    def get_state_validation_parameter(self, key: str) -> bytes | None:
        """A key's own endorsement policy, None where it has none."""
        self.get_state(key)  # Fabric reads the key for it
        return self._state.policy(key)

    def get_state_by_partial_composite_key(
        self, object_type: str, attributes: Sequence[str]
    ) -> Iterator[tuple[str, bytes]]:
        """All composite keys that begin so, in order."""
        wanted = partial_range(object_type, attributes)
        if wanted not in self._ranges:
            self._ranges[wanted] = list(self._state.range(*wanted))
        return iter([(key, version.value) for key, version in self._ranges[wanted]])

    def create_composite_key(self, object_type: str, attributes: Sequence[str]) -> str:
        """NUL, type, NUL, and each attribute followed by NUL."""
        return create_composite_key(object_type, attributes)

    def split_composite_key(self, key: str) -> tuple[str, list[str]]:
        """The type and attributes of a composite key."""
        return split_composite_key(key)

    def set_event(self, name: str, payload: bytes) -> None:
        """Set the transaction's one event."""
        self.event = (name, payload)

    def results(self, namespace: str) -> bytes:
        """What was read and written, as Fabric's TxReadWriteSet."""
        rwset = kv_rwset_pb2.KVRWSet(
            reads=[_read(key, self._reads[key]) for key in sorted(self._reads, key=str.encode)],
            range_queries_info=[_range(start, end, found) for (start, end), found in self._ranges.items()],
            writes=[
                kv_rwset_pb2.KVWrite(key=key, is_delete=(value := self.writes[key]) is None, value=value or b"")
                for key in sorted(self.writes, key=str.encode)
            ],
            metadata_writes=[_policy(key, self.policies[key]) for key in sorted(self.policies, key=str.encode)],
        )
        namespaces = [rwset_pb2.NsReadWriteSet(namespace=namespace, rwset=rwset.SerializeToString(deterministic=True))]
        return bytes(rwset_pb2.TxReadWriteSet(ns_rwset=namespaces).SerializeToString(deterministic=True))


def _read(key: str, read: Versioned | None) -> kv_rwset_pb2.KVRead:
    if read is None:
        return kv_rwset_pb2.KVRead(key=key)
    return kv_rwset_pb2.KVRead(key=key, version=kv_rwset_pb2.Version(block_num=read.block, tx_num=0))


def _policy(key: str, policy: bytes) -> kv_rwset_pb2.KVMetadataWrite:
    entry = kv_rwset_pb2.KVMetadataEntry(name=VALIDATION_PARAMETER, value=policy)
    return kv_rwset_pb2.KVMetadataWrite(key=key, entries=[entry])


def _range(start: str, end: str, found: Sequence[tuple[str, Versioned]]) -> kv_rwset_pb2.RangeQueryInfo:
    raw = kv_rwset_pb2.QueryReads(kv_reads=[_read(key, read) for key, read in found])
    return kv_rwset_pb2.RangeQueryInfo(start_key=start, end_key=end, itr_exhausted=True, raw_reads=raw)
