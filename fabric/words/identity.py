"""Who signs: an X.509 certificate of an MSP with its key."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from fabric.words import keys
from fabric.words.certificates import attributes, read_certificate


def serialise_identity(msp_id: str, certificate: bytes) -> bytes:
    """What transactions carry as their creator: an MSP's name and a certificate in PEM.

    >>> parse_identity(serialise_identity("Org1MSP", b"-----BEGIN"))
    ('Org1MSP', b'-----BEGIN')
    """
    return bytes(identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=certificate).SerializeToString())


def parse_identity(creator: bytes) -> tuple[str, bytes]:
    """The MSP's name and the certificate (PEM) of a serialised identity. Raises ValueError if it is none."""
    try:
        identity = identities_pb2.SerializedIdentity.FromString(creator)
    except DecodeError as error:
        raise ValueError(f"not a serialised identity: {error}") from error
    return identity.mspid, identity.id_bytes


@dataclass(frozen=True)
class Identity:
    """A member of an organisation. ``certificate`` is PEM; the key never leaves the object."""

    name: str
    msp_id: str
    certificate: bytes
    key: keys.PrivateKey = field(repr=False, compare=False)

    @cached_property
    def creator(self) -> bytes:
        """The serialised identity that transactions carry."""
        return serialise_identity(self.msp_id, self.certificate)

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The certificate's attributes, such as ``role`` and ``gln``."""
        return attributes(read_certificate(self.certificate))

    def sign(self, message: bytes) -> bytes:
        """A signature as Fabric demands it of this kind of key."""
        return keys.sign(self.key, message)
