"""Signatures of reading devices over events: what a device signed nobody can put into its mouth, the server least."""

from __future__ import annotations

from typing import Any

from epcis.signatures import SignatureError, verify
from proofs.faults import ProofError
from proofs.story import Said


def check_devices(events: list[Said], registered: dict[str, Any]) -> int:
    """Every event that names a device must be signed by it; returns how many were. Raises ProofError ``device``."""
    signed = [one for one in events if one.device is not None]
    for one in signed:
        device = registered.get(str(one.device))
        if not isinstance(device, dict):
            raise ProofError("device", f"{one.device} is not among the devices that the organisations know")
        try:
            verify(
                str(device.get("algorithm")), str(device.get("publicKey")), dict(one.signature or {}), one.event.hash
            )
        except (SignatureError, TypeError, ValueError) as error:
            raise ProofError("device", f"{one.device}, event {one.name}: {error}") from error
    return len(signed)
