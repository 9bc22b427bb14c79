"""The gRPC server that peers dial."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import grpc
from fabric_protos.peer import chaincode_shim_pb2_grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Message

from fabric.shim.stream import Contract, Stream

_HUNDRED_MIB = 100 * 1024 * 1024
# A peer pings its chaincode every 60 s; a C-core server answers pings more frequent than every 300 s with GOAWAY
# unless it is told otherwise. Sizes and times are those of Fabric's own servers.
_OPTIONS = [
    ("grpc.max_receive_message_length", _HUNDRED_MIB),
    ("grpc.max_send_message_length", _HUNDRED_MIB),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.so_reuseport", 0),
]


@dataclass(frozen=True)
class TLSFiles:
    """PEM files of the server's key and certificate and, for mutual TLS, of the authority that peers must show."""

    key: Path
    certificate: Path
    client_authority: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """gRPC's form; raises OSError naming a file that cannot be read."""
        authority = self.client_authority.read_bytes() if self.client_authority else None
        return grpc.ssl_server_credentials(
            [(self.key.read_bytes(), self.certificate.read_bytes())],
            root_certificates=authority,
            require_client_auth=authority is not None,
        )


class _Service(chaincode_shim_pb2_grpc.ChaincodeServicer):  # type: ignore[misc]
    def __init__(self, contract: Contract, package_id: str, workers: ThreadPoolExecutor) -> None:
        self._contract = contract
        self._package_id = package_id
        self._workers = workers
        self._streams: set[Stream] = set()

    def Connect(self, messages: Iterator[Message], context: grpc.ServicerContext) -> Iterator[Message]:  # noqa: N802
        """The peer's stream: this generator is its one writer."""
        stream = Stream(self._contract, self._package_id, self._workers)
        context.add_callback(stream.exchange.close)
        threading.Thread(target=stream.run, args=(messages,), name="peer-stream", daemon=True).start()
        self._streams.add(stream)
        try:
            yield from iter(stream.exchange.outgoing.get, None)
        finally:
            self._streams.discard(stream)

    def finish(self, seconds: float) -> None:
        """End every stream once its transactions are answered, within so many seconds."""
        deadline = time.monotonic() + seconds
        for stream in list(self._streams):
            stream.finish(max(0.0, deadline - time.monotonic()))


class ChaincodeServer:
    """Serves one contract to the peers that dial ``address``.

    ``package_id`` is what ``peer lifecycle chaincode install`` printed (``label:sha256``): a peer refuses another. Raises
    RuntimeError if the address cannot be bound.
    """

    def __init__(
        self,
        contract: Contract,
        package_id: str,
        address: str,
        tls: TLSFiles | None = None,
        concurrency: int = 32,
        peers: int = 16,
    ) -> None:
        self._workers = ThreadPoolExecutor(concurrency, thread_name_prefix="transaction")
        self._server = grpc.server(ThreadPoolExecutor(peers, thread_name_prefix="stream"), options=_OPTIONS)
        self._service = _Service(contract, package_id, self._workers)
        chaincode_shim_pb2_grpc.add_ChaincodeServicer_to_server(self._service, self._server)
        if tls is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, tls.credentials())

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def wait(self) -> None:
        """Block until ``stop``."""
        self._server.wait_for_termination()

    def stop(self, grace: float = 5.0) -> None:
        """Refuse new streams, and end the open ones when what is under way is answered, within ``grace`` seconds."""
        ended = self._server.stop(grace)
        self._service.finish(grace)
        ended.wait()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> ChaincodeServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
