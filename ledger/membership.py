"""Whether a serialised identity belongs to an organisation of the channel, now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from ledger.errors import InvalidIdentity


class Membership:
    """The organisations' roots. Answers are kept: a certificate is checked once, its validity every time."""

    def __init__(self, roots: Mapping[str, bytes]) -> None:
        self._roots = {msp_id: x509.load_pem_x509_certificate(pem) for msp_id, pem in roots.items()}
        self._valid: dict[bytes, tuple[datetime, datetime]] = {}

    def check(self, creator: bytes) -> None:
        """Raises InvalidIdentity saying what is wrong with it."""
        if creator not in self._valid:
            self._valid[creator] = self._verify(creator)
        start, end = self._valid[creator]
        now = datetime.now(UTC)
        if now < start:
            raise InvalidIdentity(f"the certificate is not valid before {start:%Y-%m-%d %H:%M} UTC")
        if now > end:
            raise InvalidIdentity(f"the certificate expired on {end:%Y-%m-%d %H:%M} UTC: issue a new one")

    def _verify(self, creator: bytes) -> tuple[datetime, datetime]:
        try:
            identity = identities_pb2.SerializedIdentity.FromString(creator)
            certificate = x509.load_pem_x509_certificate(identity.id_bytes)
        except (DecodeError, ValueError) as error:
            raise InvalidIdentity(f"the identity cannot be read: {error}") from error
        root = self._roots.get(identity.mspid)
        if root is None:
            known = ", ".join(sorted(self._roots))
            raise InvalidIdentity(f"{identity.mspid} is not an organisation of this channel ({known})")
        try:
            certificate.verify_directly_issued_by(root)
        except (InvalidSignature, ValueError, TypeError) as error:
            raise InvalidIdentity(f"the certificate was not issued by the authority of {identity.mspid}") from error
        if not isinstance(certificate.public_key(), ec.EllipticCurvePublicKey):
            raise InvalidIdentity("the certificate's key is not on an elliptic curve")
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
