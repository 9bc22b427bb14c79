"""What a contract may ask of its peer: the whole of Fabric's ChaincodeStubInterface, in Python's spelling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    chaincode_shim_pb2,
    proposal_pb2,
    proposal_response_pb2,
)
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Message

from fabric.shim import writes
from fabric.shim.errors import ChaincodeError
from fabric.shim.exchange import Exchange
from fabric.shim.proposal import ProposalParts
from fabric.shim.queries import PageInfo, QueryIterator, read_key_value, read_modification
from fabric.words.composite_keys import (
    EMPTY_START,
    check_simple_keys,
    create_composite_key,
    partial_range,
    split_composite_key,
)
from fabric.words.policy_messages import VALIDATION_PARAMETER
from fabric.words.response import Response

KeyValues = QueryIterator[tuple[str, bytes]]
_shim = chaincode_shim_pb2


class FabricStub:
    """One transaction's view of the peer. Reads never see the transaction's own writes.

    Every method that reaches the peer raises PeerError with the peer's text when the peer refuses, and StreamClosedError
    when the connection ends.
    """

    def __init__(
        self,
        exchange: Exchange,
        channel: str,
        tx_id: str,
        call: chaincode_pb2.ChaincodeInput,
        signed_proposal: proposal_pb2.SignedProposal | None,
    ) -> None:
        self._exchange = exchange
        self._channel = channel
        self._tx_id = tx_id
        self._input = call
        self._signed = signed_proposal
        self._batch: writes.WriteBatch | None = None
        self._event: chaincode_event_pb2.ChaincodeEvent | None = None

    # --- the call -------------------------------------------------------------------------------------------------

    def args(self) -> list[bytes]:
        """The arguments, the function's name first."""
        return list(self._input.args)

    get_args = args

    def get_string_args(self) -> list[str]:
        """The arguments as text; raises UnicodeDecodeError where one is not UTF-8."""
        return [arg.decode() for arg in self._input.args]

    def get_function_and_parameters(self) -> tuple[str, list[bytes]]:
        """The function's name and its parameters; a call without arguments is a call of "" without parameters."""
        first, *rest = self.args() or [b""]
        return first.decode("utf-8", "replace"), rest

    def get_args_slice(self) -> bytes:
        """All arguments joined."""
        return b"".join(self._input.args)

    # --- the transaction ------------------------------------------------------------------------------------------

    @cached_property
    def _proposal(self) -> ProposalParts:
        return ProposalParts.parse(self._signed) if self._signed is not None else ProposalParts()

    def get_tx_id(self) -> str:
        """The transaction id: hexadecimal SHA-256 of nonce and creator."""
        return self._tx_id

    def get_channel_id(self) -> str:
        """The channel that the proposal names."""
        return self._channel

    def get_tx_timestamp(self) -> datetime:
        """The client's time of the proposal, aware, UTC; the same on every peer."""
        if self._proposal.timestamp is None:
            raise ChaincodeError("the call carries no proposal, so it has no timestamp")
        return self._proposal.timestamp

    def get_creator(self) -> bytes:
        """The submitting client's serialised identity (msp.SerializedIdentity)."""
        return self._proposal.creator

    def get_transient(self) -> dict[str, bytes]:
        """Data for the contract's eyes only: it does not reach the ledger."""
        return dict(self._proposal.transient)

    def get_binding(self) -> bytes:
        """What ties transient data to this proposal: SHA-256 of nonce, creator and epoch."""
        return self._proposal.binding

    def get_decorations(self) -> dict[str, bytes]:
        """What the peer added to the call."""
        return dict(self._input.decorations)

    def get_signed_proposal(self) -> proposal_pb2.SignedProposal | None:
        """The whole signed proposal; None for a call that has none."""
        return self._signed

    # --- state ----------------------------------------------------------------------------------------------------

    def get_state(self, key: str) -> bytes | None:
        """The committed value of a key, None where there is none."""
        return self._get("", key)

    def get_multiple_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values of many keys in as few messages as the peer allows."""
        return self._get_many("", keys)

    def put_state(self, key: str, value: bytes) -> None:
        """Write a value; an empty value and an empty key are refused by the peer."""
        self._put("", key, value)

    def del_state(self, key: str) -> None:
        """Delete a key."""
        self._write(writes.DELETE, "", key, Message.DEL_STATE, _shim.DelState(key=key).SerializeToString())

    def set_state_validation_parameter(self, key: str, policy: bytes) -> None:
        """Set a key's own endorsement policy (a serialised SignaturePolicyEnvelope).

        It stays as long as the key. Peers take an empty one for none when they validate, but a gateway then finds no
        endorsers for the key any more ("state based endorsement policy cannot be satisfied").
        """
        self._put_policy("", key, policy)

    def get_state_validation_parameter(self, key: str) -> bytes | None:
        """A key's own endorsement policy, None where it has none."""
        return self._get_policy("", key)

    def start_write_batch(self) -> None:
        """From here on keep writes and send them together, where the peer can take them so (Fabric v3.1)."""
        if self._exchange.abilities.write_batch and self._batch is None:
            self._batch = writes.WriteBatch()

    def finish_write_batch(self) -> None:
        """Send the kept writes; without a batch nothing happens. Done for every transaction before its answer."""
        batch, self._batch = self._batch, None
        if batch is not None:
            for payload in batch.messages(self._exchange.abilities.write_batch_size):
                self._ask(Message.WRITE_BATCH_STATE, payload)

    # --- ranges ---------------------------------------------------------------------------------------------------

    def get_state_by_range(self, start_key: str, end_key: str) -> KeyValues:
        """Simple keys from start (inclusive) to end (exclusive; empty for all), in order, checked for phantoms."""
        start_key = start_key or EMPTY_START
        check_simple_keys(start_key, end_key)
        return self._range("", start_key, end_key)

    def get_state_by_range_with_pagination(
        self, start_key: str, end_key: str, page_size: int, bookmark: str = ""
    ) -> tuple[KeyValues, PageInfo]:
        """One page of a range; only for calls that write nothing."""
        start_key = start_key or EMPTY_START
        check_simple_keys(start_key, end_key)
        return self._page("", start_key, end_key, page_size, bookmark)

    def get_state_by_partial_composite_key(self, object_type: str, attributes: Sequence[str]) -> KeyValues:
        """All composite keys that begin with this type and these attributes."""
        return self._range("", *partial_range(object_type, attributes))

    def get_state_by_partial_composite_key_with_pagination(
        self, object_type: str, attributes: Sequence[str], page_size: int, bookmark: str = ""
    ) -> tuple[KeyValues, PageInfo]:
        """One page of the composite keys that begin so; only for calls that write nothing."""
        return self._page("", *partial_range(object_type, attributes), page_size, bookmark)

    def get_all_states_composite_key_with_pagination(
        self, page_size: int, bookmark: str = ""
    ) -> tuple[KeyValues, PageInfo]:
        """One page of every composite key; only for calls that write nothing."""
        return self._page("", "\x00", EMPTY_START, page_size, bookmark)

    def create_composite_key(self, object_type: str, attributes: Sequence[str]) -> str:
        """Join a type and attributes to a key; raises ValueError for reserved characters."""
        return create_composite_key(object_type, attributes)

    def split_composite_key(self, key: str) -> tuple[str, list[str]]:
        """The type and attributes of a composite key."""
        return split_composite_key(key)

    # --- rich queries and history ---------------------------------------------------------------------------------

    def get_query_result(self, query: str) -> KeyValues:
        """A rich query (peers with CouchDB only); its result is not checked again at commit."""
        return self._query("", query)

    def get_query_result_with_pagination(
        self, query: str, page_size: int, bookmark: str = ""
    ) -> tuple[KeyValues, PageInfo]:
        """One page of a rich query."""
        found = self._query("", query, _paging(page_size, bookmark))
        return found, found.page_info

    def get_history_for_key(self, key: str) -> QueryIterator[kv_query_result_pb2.KeyModification]:
        """Every committed change of a key, newest first."""
        payload = self._ask(Message.GET_HISTORY_FOR_KEY, _shim.GetHistoryForKey(key=key).SerializeToString())
        return QueryIterator(self._ask, payload, read_modification)

    # --- private data ---------------------------------------------------------------------------------------------

    def get_private_data(self, collection: str, key: str) -> bytes | None:
        """The committed private value of a key, None where there is none."""
        return self._get(_named(collection), key)

    def get_multiple_private_data(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        """The committed private values of many keys."""
        return self._get_many(_named(collection), keys)

    def get_private_data_hash(self, collection: str, key: str) -> bytes | None:
        """SHA-256 of a private value, for members and others alike."""
        request = _shim.GetState(key=key, collection=_named(collection)).SerializeToString()
        return self._ask(Message.GET_PRIVATE_DATA_HASH, request) or None

    def put_private_data(self, collection: str, key: str, value: bytes) -> None:
        """Write a private value: only its hash reaches the ledger. Salt it, or it can be guessed."""
        self._put(_named(collection), key, value)

    def del_private_data(self, collection: str, key: str) -> None:
        """Delete a private key; its history stays."""
        request = _shim.DelState(key=key, collection=_named(collection)).SerializeToString()
        self._write(writes.DELETE, collection, key, Message.DEL_STATE, request)

    def purge_private_data(self, collection: str, key: str) -> None:
        """Delete a private key and its private history; hashes stay on the ledger."""
        request = _shim.PurgePrivateState(key=key, collection=_named(collection)).SerializeToString()
        self._write(writes.PURGE, collection, key, Message.PURGE_PRIVATE_DATA, request)

    def set_private_data_validation_parameter(self, collection: str, key: str, policy: bytes) -> None:
        """Set a private key's own endorsement policy."""
        self._put_policy(_named(collection), key, policy)

    def get_private_data_validation_parameter(self, collection: str, key: str) -> bytes | None:
        """A private key's own endorsement policy, None where it has none."""
        return self._get_policy(_named(collection), key)

    def get_private_data_by_range(self, collection: str, start_key: str, end_key: str) -> KeyValues:
        """Private simple keys from start (inclusive) to end (exclusive)."""
        start_key = start_key or EMPTY_START
        check_simple_keys(start_key, end_key)
        return self._range(_named(collection), start_key, end_key)

    def get_private_data_by_partial_composite_key(
        self, collection: str, object_type: str, attributes: Sequence[str]
    ) -> KeyValues:
        """Private composite keys that begin with this type and these attributes."""
        return self._range(_named(collection), *partial_range(object_type, attributes))

    def get_private_data_query_result(self, collection: str, query: str) -> KeyValues:
        """A rich query over a collection."""
        return self._query(_named(collection), query)

    # --- others ---------------------------------------------------------------------------------------------------

    def invoke_chaincode(self, name: str, args: Sequence[bytes], channel: str = "") -> Response:
        """Call another chaincode within this transaction; on another channel it can only read.

        A refusal by the other chaincode comes back as its Response.
        """
        target = f"{name}/{channel}" if channel else name
        spec = chaincode_pb2.ChaincodeSpec(
            chaincode_id=chaincode_pb2.ChaincodeID(name=target), input=chaincode_pb2.ChaincodeInput(args=list(args))
        )
        inner = Message.FromString(self._ask(Message.INVOKE_CHAINCODE, spec.SerializeToString()))
        if inner.type != Message.COMPLETED:
            return Response(500, inner.payload.decode("utf-8", "replace"), b"")
        answer = proposal_response_pb2.Response.FromString(inner.payload)
        return Response(answer.status, answer.message, answer.payload)

    def set_event(self, name: str, payload: bytes) -> None:
        """Set the transaction's one event; the last one set is the one sent."""
        if not name:
            raise ValueError("an event needs a name")
        self._event = chaincode_event_pb2.ChaincodeEvent(event_name=name, payload=payload)

    @property
    def event(self) -> chaincode_event_pb2.ChaincodeEvent | None:
        """The event that will go out with the answer."""
        return self._event

    # --- requests -------------------------------------------------------------------------------------------------

    def _ask(self, kind: int, payload: bytes) -> bytes:
        return self._exchange.request(kind, payload, self._channel, self._tx_id)

    def _get(self, collection: str, key: str) -> bytes | None:
        request = _shim.GetState(key=key, collection=collection).SerializeToString()
        return self._ask(Message.GET_STATE, request) or None

    def _get_many(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        if not self._exchange.abilities.multiple_keys:
            return [self._get(collection, key) for key in keys]
        size = self._exchange.abilities.multiple_keys_size
        found: list[bytes | None] = []
        for start in range(0, len(keys), size):
            request = _shim.GetStateMultiple(keys=keys[start : start + size], collection=collection)
            payload = self._ask(Message.GET_STATE_MULTIPLE, request.SerializeToString())
            found.extend(value or None for value in _shim.GetStateMultipleResult.FromString(payload).values)
        return found

    def _put(self, collection: str, key: str, value: bytes) -> None:
        if not key:
            raise ValueError("a state key must not be empty")
        if self._batch is not None:
            self._batch.add(writes.PUT, collection, key, value=value)
        else:
            request = _shim.PutState(key=key, value=value, collection=collection)
            self._ask(Message.PUT_STATE, request.SerializeToString())

    def _write(self, record: int, collection: str, key: str, kind: int, request: bytes) -> None:
        if self._batch is not None:
            self._batch.add(record, collection, key)
        else:
            self._ask(kind, request)

    def _put_policy(self, collection: str, key: str, policy: bytes) -> None:
        metadata = _shim.StateMetadata(metakey=VALIDATION_PARAMETER, value=policy)
        if self._batch is not None:
            self._batch.add(writes.METADATA, collection, key, metadata=metadata)
        else:
            request = _shim.PutStateMetadata(key=key, collection=collection, metadata=metadata)
            self._ask(Message.PUT_STATE_METADATA, request.SerializeToString())

    def _get_policy(self, collection: str, key: str) -> bytes | None:
        request = _shim.GetStateMetadata(key=key, collection=collection).SerializeToString()
        answer = _shim.StateMetadataResult.FromString(self._ask(Message.GET_STATE_METADATA, request))
        return next((entry.value for entry in answer.entries if entry.metakey == VALIDATION_PARAMETER), None)

    def _range(self, collection: str, start: str, end: str, metadata: bytes = b"") -> KeyValues:
        request = _shim.GetStateByRange(startKey=start, endKey=end, collection=collection, metadata=metadata)
        payload = self._ask(Message.GET_STATE_BY_RANGE, request.SerializeToString())
        return QueryIterator(self._ask, payload, read_key_value)

    def _page(self, collection: str, start: str, end: str, page_size: int, bookmark: str) -> tuple[KeyValues, PageInfo]:
        found = self._range(collection, start, end, _paging(page_size, bookmark))
        return found, found.page_info

    def _query(self, collection: str, query: str, metadata: bytes = b"") -> KeyValues:
        request = _shim.GetQueryResult(query=query, collection=collection, metadata=metadata)
        return QueryIterator(
            self._ask, self._ask(Message.GET_QUERY_RESULT, request.SerializeToString()), read_key_value
        )


def _paging(page_size: int, bookmark: str) -> bytes:
    if page_size < 1:
        raise ValueError("a page holds at least one record")
    return _shim.QueryMetadata(pageSize=page_size, bookmark=bookmark).SerializeToString()


def _named(collection: str) -> str:
    if not collection:
        raise ValueError("a collection must be named")
    return collection
