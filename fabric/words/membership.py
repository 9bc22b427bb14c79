"""Whether a serialised identity belongs to an organisation of the channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from fabric.words import keys
from fabric.words.certificates import read_certificate
from fabric.words.identity import Identity, parse_identity

NODE_UNITS = frozenset({"admin", "client", "orderer", "peer"})
"""Fabric's NodeOUs: a certificate names exactly one of them as organisational unit."""


_KEPT = 4096
"""So many members are remembered at a time: a chain may be signed by any number."""


class NotAMemberError(ValueError):
    """An identity that no organisation of the channel stands for, or not now. Its text says why."""


class Member(NamedTuple):
    """An identity whose certificate comes from its organisation's authority. Its time of validity is another matter."""

    msp_id: str
    unit: str
    certificate: x509.Certificate
    public_key: keys.PublicKey


class Membership:
    """The organisations' authorities (MSP -> certificates, PEM). A certificate's origin is checked once and kept."""

    def __init__(self, authorities: Mapping[str, Sequence[bytes]]) -> None:
        """Raises ValueError for an authority whose certificate cannot be read."""
        self._authorities = {msp_id: [read_certificate(pem) for pem in pems] for msp_id, pems in authorities.items()}
        self._members: dict[bytes, Member] = {}

    def member(self, creator: bytes) -> Member:
        """Who a serialised identity is. Expiry is not looked at, as in Fabric's validation of blocks.

        Raises NotAMemberError saying what is wrong with it.
        """
        if creator not in self._members:
            if len(self._members) >= _KEPT:
                self._members.clear()
            self._members[creator] = self._verify(creator)
        return self._members[creator]

    def check(self, identity: Identity) -> Member:
        """Raises NotAMemberError for an identity that may not transact now."""
        member = self.member(identity.creator)
        start, end = member.certificate.not_valid_before_utc, member.certificate.not_valid_after_utc
        now = datetime.now(UTC)
        if now < start:
            raise NotAMemberError(f"the certificate is not valid before {start:%Y-%m-%d %H:%M} UTC")
        if now > end:
            raise NotAMemberError(f"the certificate expired on {end:%Y-%m-%d %H:%M} UTC: issue a new one")
        if identity.key.public_key() != member.public_key:
            raise NotAMemberError(f"the key of {identity.name} does not belong to its certificate: issue both anew")
        return member

    def _verify(self, creator: bytes) -> Member:
        try:
            msp_id, pem = parse_identity(creator)
            certificate = read_certificate(pem)
        except ValueError as error:
            raise NotAMemberError(f"the identity cannot be read: {error}") from error
        authorities = self._authorities.get(msp_id)
        if authorities is None:
            known = ", ".join(sorted(self._authorities))
            raise NotAMemberError(f"{msp_id} is not an organisation of this channel ({known})")
        if not any(_issued(certificate, authority) for authority in authorities):
            raise NotAMemberError(f"the certificate was not issued by the authority of {msp_id}")
        try:
            key = keys.public_key(certificate)
        except ValueError as error:
            raise NotAMemberError(f"the certificate's key does not fit: {error}") from error
        return Member(msp_id, _unit(certificate), certificate, key)


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _unit(certificate: x509.Certificate) -> str:
    named = {item.value for item in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)}
    units = [str(unit) for unit in named & NODE_UNITS]
    if len(units) != 1:
        raise NotAMemberError(f"the certificate must name one of {', '.join(sorted(NODE_UNITS))} as unit")
    return units[0]
