"""What a contract may ask of its peer: Fabric's ChaincodeStubInterface as far as Lotline uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol


class Stub(Protocol):
    """One transaction's view. Reads see what was committed before it, never its own writes."""

    def args(self) -> list[bytes]:
        """Arguments, the function's name first."""
        ...

    def get_function_and_parameters(self) -> tuple[str, list[bytes]]:
        """The function's name and its parameters."""
        ...

    def get_tx_id(self) -> str:
        """The transaction id."""
        ...

    def get_channel_id(self) -> str:
        """The channel."""
        ...

    def get_tx_timestamp(self) -> datetime:
        """The client's time of the proposal, aware, UTC: the same on every peer, and only a claim."""
        ...

    def get_creator(self) -> bytes:
        """The submitter's serialised identity (msp.SerializedIdentity)."""
        ...

    def get_transient(self) -> Mapping[str, bytes]:
        """Data that does not reach the ledger."""
        ...

    def get_state(self, key: str) -> bytes | None:
        """The committed value of a key."""
        ...

    def get_multiple_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values of many keys, in one round trip where the peer can."""
        ...

    def put_state(self, key: str, value: bytes) -> None:
        """Write a value."""
        ...

    def del_state(self, key: str) -> None:
        """Delete a key."""
        ...

    def set_state_validation_parameter(self, key: str, policy: bytes) -> None:
        """Give a key an endorsement policy of its own (a SignaturePolicyEnvelope), for good: see the shim."""
        ...

    def get_state_validation_parameter(self, key: str) -> bytes | None:
        """A key's own endorsement policy, None where it has none."""
        ...

    def get_state_by_partial_composite_key(
        self, object_type: str, attributes: Sequence[str]
    ) -> Iterator[tuple[str, bytes]]:
        """All composite keys that begin so, in order; checked for phantoms at commit."""
        ...

    def create_composite_key(self, object_type: str, attributes: Sequence[str]) -> str:
        """NUL, type, NUL, and each attribute followed by NUL."""
        ...

    def split_composite_key(self, key: str) -> tuple[str, list[str]]:
        """The type and attributes of a composite key."""
        ...

    def set_event(self, name: str, payload: bytes) -> None:
        """Set the transaction's one event."""
        ...
