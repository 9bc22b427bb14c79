"""Identities from the folders that Fabric CA's client writes."""

from __future__ import annotations

from pathlib import Path

from fabric.words.identity import Identity
from fabric.words.keys import load_private


def msp_identity(folder: Path, msp_id: str, name: str) -> Identity:
    """The identity of an MSP folder: ``signcerts`` with one certificate, ``keystore`` with its key.

    Raises FileNotFoundError where a file is missing, ValueError for a key that Lotline cannot sign with.
    """
    certificate = _only(folder / "signcerts").read_bytes()
    try:
        key = load_private(_only(folder / "keystore").read_bytes())
    except ValueError as error:
        raise ValueError(f"{folder}: the key of {name}: {error}") from error
    return Identity(name, msp_id, certificate, key)


def _only(folder: Path) -> Path:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    if len(files) != 1:
        raise FileNotFoundError(f"{folder} should hold one file and holds {len(files)}")
    return files[0]
