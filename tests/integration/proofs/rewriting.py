"""Proofs as a liar writes them: whole, with a digest that fits."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def rewritten(document: dict[str, Any]) -> bytes:
    """The file of a proof that was changed by somebody who knows its form."""
    said = {name: value for name, value in document.items() if name != "digest"}
    return _written({**said, "digest": hashlib.sha256(_written(said)).hexdigest()})


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
