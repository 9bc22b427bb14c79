"""Gateway peers in order of preference: when one does not answer, the next is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc

from fabric.gateway.errors import SENSELESS, GatewayError
from fabric.gateway.options import TLS, open_channel

Answer = TypeVar("Answer")
_NO_ANSWER = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL, SENSELESS}
_TOO_MANY = "too many requests for"  # the peer's concurrency limit answers UNKNOWN with this text
_BEHIND = ("no peers available to evaluate", "no combination of peers can be derived")  # a peer that is catching up
_EXPIRED = (
    "client identity expired"  # said by a filter before the peer's own code, so the gateway takes the peer for gone
)
_NO_HISTORY = "bootstrapped from a snapshot"  # a peer that joined by a snapshot lacks the blocks before it


@dataclass(frozen=True)
class GatewayPeer:
    """Where a peer is dialled and how it is known."""

    address: str
    tls: TLS | None = None


class Peers:
    """Channels to several peers, opened when first used. The peer that answered last is asked first."""

    def __init__(self, peers: Sequence[GatewayPeer]) -> None:
        if not peers:
            raise ValueError("a connection needs at least one peer")
        self._peers = list(peers)
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._preferred = 0

    def channel(self, peer: GatewayPeer) -> grpc.aio.Channel:
        """The channel to a peer."""
        if peer.address not in self._channels:
            self._channels[peer.address] = open_channel(peer.address, peer.tls)
        return self._channels[peer.address]

    def in_order(self) -> list[GatewayPeer]:
        """Every peer once, the preferred one first."""
        return self._peers[self._preferred :] + self._peers[: self._preferred]

    def prefer(self, peer: GatewayPeer) -> None:
        """Ask this one first from now on."""
        self._preferred = self._peers.index(peer)

    async def ask(self, call: Callable[[grpc.aio.Channel], Awaitable[Answer]]) -> Answer:
        """Make a call on the first peer that is there; raises the last peer's GatewayError if none is."""
        failure: GatewayError | None = None
        for peer in self.in_order():
            try:
                answer = await call(self.channel(peer))
            except GatewayError as error:
                if not unavailable(error) and not lacks_history(error):
                    raise
                failure = error
            else:
                if failure is None or not lacks_history(failure):
                    self.prefer(peer)
                return answer
        assert failure is not None
        raise failure

    async def close(self) -> None:
        """Close every channel."""
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            await channel.close(None)


def unavailable(error: GatewayError) -> bool:
    """Whether another peer might answer where this one did not, or not sensibly."""
    if expired(error):
        return False
    if error.code in _NO_ANSWER or _TOO_MANY in error.message:
        return True
    return error.code is grpc.StatusCode.FAILED_PRECONDITION and any(text in error.message for text in _BEHIND)


def lacks_history(error: GatewayError) -> bool:
    """Whether the peer was asked for what is older than the snapshot it joined by."""
    return _says(error, _NO_HISTORY)


def expired(error: GatewayError) -> bool:
    """Whether the caller's certificate has ended."""
    return _says(error, _EXPIRED)


def _says(error: GatewayError, text: str) -> bool:
    return any(text in said for said in (error.message, *(detail.message for detail in error.details)))
