"""Identities from the folders that Fabric CA's client writes."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ledger.identity import Identity


def msp_identity(folder: Path, msp_id: str, name: str) -> Identity:
    """The identity of an MSP folder: ``signcerts`` with one certificate, ``keystore`` with its key (P-256).

    Raises FileNotFoundError where a file is missing, ValueError for a key that Lotline cannot sign with.
    """
    certificate = _only(folder / "signcerts").read_bytes()
    key = serialization.load_pem_private_key(_only(folder / "keystore").read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{folder}: the key of {name} is no elliptic-curve key")
    return Identity(name, msp_id, certificate, key)


def _only(folder: Path) -> Path:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    if len(files) != 1:
        raise FileNotFoundError(f"{folder} should hold one file and holds {len(files)}")
    return files[0]
