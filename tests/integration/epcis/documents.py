"""The JSON documents of the shared data, as their raw JSON values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def valid_documents(shared_data: Path) -> dict[str, Any]:
    """Every EPCIS JSON document there, by its path below ``epcis/``; FSMA 204 ones without their comments."""
    root = shared_data / "epcis"
    paths = [
        *root.glob("gs1/JSON/**/*.jsonld"),
        *root.glob("event-hash/examples/*.jsonld"),
        *root.glob("event-hash/expected_equal/*.json"),
        *root.glob("fsma204/*.jsonld"),
    ]
    return {str(path.relative_to(root)): _without_comments(json.loads(path.read_bytes())) for path in sorted(paths)}


def _without_comments(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_comments(member) for name, member in value.items() if not name.startswith("_comment")}
    return [_without_comments(element) for element in value] if isinstance(value, list) else value
