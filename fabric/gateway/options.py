"""Deadlines and channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import grpc

_HUNDRED_MIB = 100 * 1024 * 1024
CHANNEL_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", _HUNDRED_MIB),
    ("grpc.max_send_message_length", _HUNDRED_MIB),
    # a peer answers pings more frequent than every 60 s with GOAWAY
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


@dataclass(frozen=True)
class Deadlines:
    """Seconds each kind of call may take. The protocol has none of its own, so a call without one can hang for ever."""

    evaluate: float = 10.0
    endorse: float = 30.0
    submit: float = 10.0
    commit_status: float = 60.0


@dataclass(frozen=True)
class TLS:
    """PEM of the authority of the peers' TLS certificates and, for mutual TLS, the client's own key and certificate."""

    authority: bytes
    key: bytes | None = None
    certificate: bytes | None = None
    server_name: str | None = None


def open_channel(address: str, tls: TLS | None) -> grpc.aio.Channel:
    """A channel to a peer with the message sizes and keep-alive that Fabric expects."""
    options = list(CHANNEL_OPTIONS)
    if tls is None:
        return grpc.aio.insecure_channel(address, options=options)
    credentials = grpc.ssl_channel_credentials(tls.authority, tls.key, tls.certificate)
    if tls.server_name:
        options_with_name = [*options, ("grpc.ssl_target_name_override", tls.server_name)]
        return grpc.aio.secure_channel(address, credentials, options=options_with_name)
    return grpc.aio.secure_channel(address, credentials, options=options)
