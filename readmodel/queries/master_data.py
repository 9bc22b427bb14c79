"""What organisations say of things, products, places and parties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from readmodel.bulk import fetch
from readmodel.identifiers import clean


@dataclass(frozen=True, slots=True)
class MasterDataRecord:
    """What one organisation says of something. ``attributes`` by the URI of what each means."""

    id: str
    msp: str
    kind: str
    name: str | None
    attributes: dict[str, Any]


_SAID = "SELECT m.id, m.msp, m.kind, m.name, m.attributes FROM {values} JOIN master_data m ON m.id = v.value"


def master_data(connection: Connection, identifier: str) -> list[MasterDataRecord]:
    """All that organisations say of something, by organisation."""
    rows = fetch(connection, _SAID, [clean(identifier)])
    return [
        MasterDataRecord(identity, msp, kind, name, orjson.loads(attributes))
        for identity, msp, kind, name, attributes in sorted(rows, key=lambda row: row[1])
    ]
