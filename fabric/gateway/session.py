"""Who calls, over what, and how it is signed: what every proposal, transaction and request needs of its gateway."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.gateway.client import GatewayClient
from fabric.gateway.signing import Hash, Identity, Signer


@dataclass(frozen=True)
class Session:
    """One identity's calls. Without a ``signer`` everything must be signed off-line."""

    identity: Identity
    client: GatewayClient
    signer: Signer | None
    hash: Hash
    tls_certificate_hash: bytes = b""
