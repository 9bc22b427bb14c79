"""What things, products, places and parties are called: the one place where an identifier gets its name.

The name that is shown is the registry's; else what the organisation says that made it or that it is registered to; else
what the first organisation says, by name. A thing without a name of its own has its lot's, else its product's.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from readmodel.bulk import fetch
from readmodel.identifiers import clean, describe

_REGISTERED = (
    "SELECT v.value, coalesce(p.name, w.name), coalesce(p.msp, w.msp, t.msp) FROM {values} "
    "LEFT JOIN party p ON p.uri = v.value LEFT JOIN place w ON w.uri = v.value LEFT JOIN thing t ON t.uri = v.value"
)
_SAID = "SELECT m.id, m.msp, m.name FROM {values} JOIN master_data m ON m.id = v.value WHERE m.name IS NOT NULL"


def names(connection: Connection, identifiers: Iterable[str | None]) -> dict[str, str]:
    """The names of those that have one."""
    above = {identifier: _above(clean(identifier)) for identifier in identifiers if identifier}
    known = _own_names(connection, sorted({one for chain in above.values() for one in chain}))
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


def _own_names(connection: Connection, identifiers: list[str]) -> dict[str, str]:
    said: dict[str, dict[str, str]] = {}
    for identifier, msp, name in fetch(connection, _SAID, identifiers):
        if name:
            said.setdefault(identifier, {})[msp] = name
    names: dict[str, str] = {}
    for identifier, registered, owner in fetch(connection, _REGISTERED, identifiers):
        by_msp = said.get(identifier, {})
        name = registered or by_msp.get(owner) or next((by_msp[msp] for msp in sorted(by_msp)), None)
        if name is not None:
            names[identifier] = name
    return names
