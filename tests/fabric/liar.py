"""A gateway peer that answers nonsense to some calls, and passes the others on to a real one."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fabric.gateway.options import TLS, open_channel
from fabric.words.keys import private_pem
from ledger.network.peers import GatewayPeer

BEHIND = (
    "evaluate call to endorser returned error: chaincode response 500, Failed to get transaction with id ab, "
    "error no such transaction ID [ab] in index"
)
STREAMS = {"Deliver", "DeliverFiltered", "DeliverWithPrivateData", "ChaincodeEvents"}


class Liar(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers by the call's name: bytes, as they are. Use it with ``async with``; ``peer`` is how it is dialled.

    ``behind``: so many queries are answered as by a peer that has not got the transaction yet.
    """

    def __init__(self, lies: Mapping[str, bytes], honest: GatewayPeer | None = None, behind: int = 0) -> None:
        self._lies = lies
        self._honest = honest
        self._behind = behind
        self.told: set[str] = set()

    async def __aenter__(self) -> Liar:
        key, certificate = _certificate()
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers((self,))
        port = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
        self._upstream = open_channel(self._honest.address, self._honest.tls) if self._honest else None
        await self._server.start()
        self.peer = GatewayPeer(f"localhost:{port}", TLS(certificate))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)
        if self._upstream is not None:
            await self._upstream.close(None)

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """gRPC asks who handles a call."""
        path, name = details.method, details.method.rpartition("/")[2]
        if name in STREAMS:

            async def stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
                async for _ in requests:
                    yield self._lie(name)

            return grpc.stream_stream_rpc_method_handler(stream)

        async def answer(request: bytes, context: Any) -> bytes:
            if name in self._lies or self._upstream is None:
                return self._lie(name)
            if name == "Evaluate" and self._behind:
                self._behind -= 1
                self.told.add(name)
                await context.abort(grpc.StatusCode.UNKNOWN, BEHIND)
            try:
                passed: bytes = await self._upstream.unary_unary(path, _same, _same)(request)
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details(), tuple(error.trailing_metadata()))
            return passed

        return grpc.unary_unary_rpc_method_handler(answer)

    def _lie(self, name: str) -> bytes:
        self.told.add(name)
        return self._lies[name]


def _same(message: bytes) -> bytes:
    return message


def _certificate() -> tuple[bytes, bytes]:
    """Key and certificate of a server on this machine, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "liar")])
    now = dt.datetime.now(dt.UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return private_pem(key), certificate.public_bytes(serialization.Encoding.PEM)
