"""Error declarations: which events they take back, and what they say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from epcis.prehash import digest_uri
from readmodel.bulk import fetch

NOT_DECLARED = "e.declares IS NULL AND e.declared_by IS NULL"
"""SQL: an event ``e`` that is in the set of statements, and is no declaration itself."""

_DECLARED = (
    "SELECT e.hash, e.declared_by FROM {values} JOIN event e ON e.hash = v.value WHERE e.declared_by IS NOT NULL"
)
_DECLARATIONS = "SELECT d.hash, d.msp, d.stored FROM {values} JOIN event d ON d.hash = v.value"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What took an event back: the declaration's own name, who declared it, when and why, and what is right instead."""

    event: str
    msp: str | None
    declared_at: datetime | None
    reason: str | None
    corrective_event_ids: list[str]


def declarations(connection: Connection, hashes: Iterable[str]) -> dict[str, list[Declaration]]:
    """The declarations that took events back, by the events' names on the ledger (in hex)."""
    declared = {name: orjson.loads(by) for name, by in fetch(connection, _DECLARED, dict.fromkeys(hashes))}
    wanted = dict.fromkeys(name for by in declared.values() for name in by)
    said = {row[0]: _declaration(*row) for row in fetch(connection, _DECLARATIONS, wanted)}
    return {name: [said[by] for by in named if by in said] for name, named in declared.items()}


def _declaration(name: str, msp: str | None, stored: str) -> Declaration:
    said: dict[str, Any] = orjson.loads(stored).get("errorDeclaration") or {}
    when = said.get("declarationTime")
    corrective = [str(event) for event in said.get("correctiveEventIDs") or ()]
    return Declaration(digest_uri(name), msp, _moment(when), said.get("reason"), corrective)


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
