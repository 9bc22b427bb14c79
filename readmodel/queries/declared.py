"""Error declarations: which events they take back, and what they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from epcis.prehash import digest_uri
from readmodel.bulk import fetch

NOT_DECLARED = "e.declares IS NULL AND NOT EXISTS (SELECT 1 FROM event d WHERE d.declares = e.hash)"
"""SQL: an event ``e`` that is in the set of statements, and is no declaration itself."""

_DECLARATIONS = (
    "SELECT d.declares, d.hash, d.msp, d.stored FROM {values} JOIN event d ON d.declares = v.value ORDER BY d.id"
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What took an event back: the declaration's own name, who declared it, when and why, and what is right instead."""

    event: str
    msp: str | None
    declared_at: datetime | None
    reason: str | None
    corrective_event_ids: list[str]


def declarations(connection: Connection, hashes: Iterable[str]) -> dict[str, list[Declaration]]:
    """The declarations of events, by the declared event's name on the ledger (in hex), in the ledger's order."""
    found: dict[str, list[Declaration]] = defaultdict(list)
    for declared, name, msp, stored in fetch(connection, _DECLARATIONS, dict.fromkeys(hashes)):
        found[declared].append(_declaration(name, msp, stored))
    return found


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
