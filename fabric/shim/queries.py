"""Iterators over what the peer found: pages are fetched as they are needed, and closed when left early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.peer import chaincode_shim_pb2

Result = TypeVar("Result")
Ask = Callable[[int, bytes], bytes]
_NEXT = chaincode_shim_pb2.ChaincodeMessage.QUERY_STATE_NEXT
_CLOSE = chaincode_shim_pb2.ChaincodeMessage.QUERY_STATE_CLOSE


@dataclass(frozen=True)
class PageInfo:
    """How many records a page held and where the next one begins (empty at the end)."""

    fetched_records_count: int
    bookmark: str

    @classmethod
    def parse(cls, payload: bytes) -> PageInfo:
        metadata = chaincode_shim_pb2.QueryResponseMetadata.FromString(payload)
        return cls(metadata.fetched_records_count, metadata.bookmark)


class QueryIterator(Generic[Result]):
    """Results of a query, one by one. Usable in ``for`` and in ``with``; ``close`` frees the peer's side."""

    def __init__(self, ask: Ask, payload: bytes, read: Callable[[bytes], Result]) -> None:
        self._ask = ask
        self._read = read
        self._page = chaincode_shim_pb2.QueryResponse.FromString(payload)
        self._at = 0
        self._closed = False
        self.page_info = PageInfo.parse(self._page.metadata)

    def __iter__(self) -> Iterator[Result]:
        return self

    def __next__(self) -> Result:
        while self._at >= len(self._page.results):
            if self._closed or not self._page.has_more:
                self._closed = True
                raise StopIteration
            self._fetch()
        raw = self._page.results[self._at].resultBytes
        self._at += 1
        return self._read(raw)

    def __enter__(self) -> QueryIterator[Result]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fetch(self) -> None:
        request = chaincode_shim_pb2.QueryStateNext(id=self._page.id).SerializeToString()
        self._page = chaincode_shim_pb2.QueryResponse.FromString(self._ask(_NEXT, request))
        self._at = 0

    def close(self) -> None:
        """Tell the peer that no more results are wanted."""
        if not self._closed and self._page.has_more:
            self._ask(_CLOSE, chaincode_shim_pb2.QueryStateClose(id=self._page.id).SerializeToString())
        self._closed = True
        self._at = len(self._page.results)


def read_key_value(raw: bytes) -> tuple[str, bytes]:
    """A state query's result: key and value."""
    result = kv_query_result_pb2.KV.FromString(raw)
    return result.key, result.value


def read_modification(raw: bytes) -> kv_query_result_pb2.KeyModification:
    """A history query's result."""
    return kv_query_result_pb2.KeyModification.FromString(raw)
