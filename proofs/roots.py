"""The organisations' root certificates: all that a verifier must have from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography import x509

from fabric.words.membership import Member, Membership, NotAMemberError
from proofs.faults import ProofError

_FOLDERS = ("cacerts", "intermediatecerts", "msp/cacerts", "msp/intermediatecerts")
_REVOKED = ("crls", "msp/crls")
_LARGEST = 1 << 20


class Roots:
    """By MSP: certificates of its authorities (PEM), and the serial numbers of what they revoked."""

    def __init__(
        self, authorities: Mapping[str, Iterable[bytes]], revoked: Mapping[str, Iterable[int]] | None = None
    ) -> None:
        """Raises ValueError for a certificate that cannot be read."""
        self.authorities = {msp: list(pems) for msp, pems in authorities.items()}
        self._membership = Membership(self.authorities)
        self._revoked = {msp: frozenset(serials) for msp, serials in (revoked or {}).items()}

    @classmethod
    def read(cls, folder: Path) -> Roots:
        """Of a folder with ``<MSP>.pem``, or for each organisation a folder ``<MSP>`` that is its MSP folder, as Fabric has them (or holds
        ``ca.pem``). Raises ValueError where there are none."""
        authorities: dict[str, list[bytes]] = {}
        revoked: dict[str, list[int]] = {}
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry.is_file() and entry.suffix == ".pem":
                authorities[entry.stem] = [_bytes(entry)]
            elif entry.is_dir() and (found := _certificates(entry)):
                authorities[entry.name] = found
                revoked[entry.name] = list(_serials(entry))
        if not authorities:
            raise ValueError(
                f"{folder} has no root certificates: it takes <MSP>.pem, or <MSP>/cacerts/*.pem, for each organisation"
            )
        return cls(authorities, revoked)

    @property
    def majority(self) -> int:
        """More than half of the organisations."""
        return len(self.authorities) // 2 + 1

    def knows(self, msp: str) -> bool:
        """Whether an organisation's roots are here."""
        return msp in self.authorities

    def member(self, creator: bytes) -> Member:
        """Who a serialised identity is. Raises ProofError."""
        try:
            member = self._membership.member(creator)
        except NotAMemberError as error:
            raise ProofError("roots", str(error)) from error
        if member.certificate.serial_number in self._revoked.get(member.msp_id, ()):
            raise ProofError(
                "roots", f"{member.msp_id} has revoked the certificate {member.certificate.serial_number:x}"
            )
        return member


def _certificates(folder: Path) -> list[bytes]:
    files = [file for name in _FOLDERS for file in sorted((folder / name).glob("*")) if file.is_file()]
    if (folder / "ca.pem").is_file():
        files.append(folder / "ca.pem")
    return [_bytes(file) for file in files]


def _serials(folder: Path) -> Iterable[int]:
    for name in _REVOKED:
        for file in sorted((folder / name).glob("*")):
            yield from (one.serial_number for one in x509.load_pem_x509_crl(_bytes(file)))


def _bytes(file: Path) -> bytes:
    if file.stat().st_size > _LARGEST:
        raise ValueError(f"{file} is too large for a certificate")
    return file.read_bytes()
