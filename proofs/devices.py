"""Signatures of reading devices over events: what a device signed nobody can put into its mouth, the server least."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from epcis.signatures import SignatureError, link_of, message, verify
from proofs.faults import ProofError
from proofs.story import Said


def check_devices(events: Iterable[Said], registered: dict[str, Any]) -> int:
    """Every event that names a device must be signed by it; returns how many were. Raises ProofError ``device``."""
    count = 0
    for one in events:
        if one.device is None:
            continue
        count += 1
        device = registered.get(str(one.device))
        if not isinstance(device, dict):
            raise ProofError("device", f"{one.device} is not among the devices that the organisations know")
        try:
            _check(one, device)
        except (SignatureError, TypeError, ValueError) as error:
            raise ProofError("device", f"{one.device}, event {one.name}: {error}") from error
    return count


def _check(one: Said, device: dict[str, Any]) -> None:
    signature = dict(one.signature or {})
    link = link_of(signature)
    signed = one.event.hash.encode() if link is None else message(str(one.device), link, one.event.hash)
    fault: SignatureError | None = None
    for algorithm, key in _keys(device):
        try:
            verify(algorithm, key, signature, signed)
        except SignatureError as error:
            fault = fault or error
        else:
            return
    raise fault or SignatureError("the device has no key")


def _keys(device: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Its key, and those that it had before."""
    for one in (device, *(past for past in device.get("before", ()) if isinstance(past, dict))):
        yield str(one.get("algorithm")), str(one.get("publicKey"))
