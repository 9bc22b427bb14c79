"""GS1's JSON Schema, which judges the judges."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs


def gs1_schema(shared_data: Path) -> jsonschema_rs.Draft7Validator:
    """The schema, with formats checked: otherwise it lets a third of GS1's own bad documents pass."""
    schema = json.loads((shared_data / "epcis/gs1/EPCIS-JSON-Schema.json").read_bytes())
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)
