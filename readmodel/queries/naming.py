"""What things, places and parties are called: the one place where an identifier gets its name."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from readmodel.bulk import fetch
from readmodel.identifiers import clean, describe

_REGISTERED = (
    "SELECT p.uri, p.name FROM {values} JOIN party p ON p.uri = v.value WHERE p.name IS NOT NULL",
    "SELECT p.uri, p.name FROM {values} JOIN place p ON p.uri = v.value WHERE p.name IS NOT NULL",
)


def names(connection: Connection, identifiers: Iterable[str | None]) -> dict[str, str]:
    """The names of those that have one. An item or lot has its product's."""
    product_of: dict[str, str] = {}
    wanted: dict[str, None] = {}
    for identifier in identifiers:
        if identifier and identifier not in product_of:
            product = describe(clean(identifier), is_class=False).product
            product_of[identifier] = product or clean(identifier)
            wanted[product_of[identifier]] = None
    found: dict[str, str] = {}
    for sql in _REGISTERED:
        found.update(fetch(connection, sql, wanted))
    return {identifier: found[of] for identifier, of in product_of.items() if found.get(of)}
