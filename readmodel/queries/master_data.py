"""What things, products, places and parties are called, by those who may name them.

The name that is shown is the registry's; else what the organisation says that made it or that it is registered to; else
what the first organisation says, by name. A thing without a name of its own has its lot's, else its product's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from readmodel.bulk import fetch
from readmodel.identifiers import clean, describe


@dataclass(frozen=True, slots=True)
class MasterDataRecord:
    """What one organisation says of something. ``attributes`` by the URI of what each means."""

    id: str
    msp: str
    kind: str
    name: str | None
    attributes: dict[str, Any]


_REGISTERED = (
    "SELECT v.value, coalesce(p.name, w.name), coalesce(p.msp, w.msp, t.msp) FROM {values} "
    "LEFT JOIN party p ON p.uri = v.value LEFT JOIN place w ON w.uri = v.value LEFT JOIN thing t ON t.uri = v.value"
)
_SAID = "SELECT m.id, m.msp, m.kind, m.name, m.attributes FROM {values} JOIN master_data m ON m.id = v.value"


def names_of(connection: Connection, identifiers: Collection[str]) -> dict[str, str]:
    """The names to show for identifiers; those without one are left out."""
    above = {identifier: _above(clean(identifier)) for identifier in identifiers}
    known = _own_names(connection, {one for chain in above.values() for one in chain})
    found: dict[str, str] = {}
    for identifier, chain in above.items():
        name = next((known[one] for one in chain if one in known), None)
        if name is not None:
            found[identifier] = name
    return found


def _above(identifier: str) -> list[str]:
    """It, its lot and its product."""
    description = describe(identifier, is_class=False)
    return [one for one in (identifier, description.lot, description.product) if one is not None]


def _own_names(connection: Connection, identifiers: Collection[str]) -> dict[str, str]:
    said: dict[str, dict[str, str]] = {}
    for identifier, msp, _, name, _ in fetch(connection, _SAID, list(identifiers)):
        if name:
            said.setdefault(identifier, {})[msp] = name
    names: dict[str, str] = {}
    for identifier, registered, owner in fetch(connection, _REGISTERED, list(identifiers)):
        by_msp = said.get(identifier, {})
        name = registered or by_msp.get(owner) or next((by_msp[msp] for msp in sorted(by_msp)), None)
        if name is not None:
            names[identifier] = name
    return names


def master_data(connection: Connection, identifier: str) -> list[MasterDataRecord]:
    """All that organisations say of something, by organisation."""
    rows = fetch(connection, _SAID, [clean(identifier)])
    return [
        MasterDataRecord(identity, msp, kind, name, orjson.loads(attributes))
        for identity, msp, kind, name, attributes in sorted(rows, key=lambda row: row[1])
    ]
