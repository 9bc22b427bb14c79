"""Parties and places onto the ledger: only what it does not have in just these words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import readmodel
from instance.settings import Settings
from lotline.delivery import Delivery
from readmodel.queries import registry

_AT_ONCE = 500
Registration = tuple[str, dict[str, Any]]
"""The organisation that registers, and what."""


async def register_new(
    settings: Settings, delivery: Delivery, parties: Sequence[Registration], places: Sequence[Registration]
) -> tuple[int, int]:
    """Register what is new or has changed; returns how many parties and places that were.

    Raises `CommandError` when the contract refuses, for example what another organisation has registered.
    """
    engine = readmodel.open_engine(settings.readmodel_url)
    try:
        with engine.connect() as connection:
            new_parties = [one for one in parties if not _same(registry.party(connection, one[1]["id"]), one[1])]
            new_places = [one for one in places if not _same(registry.place(connection, one[1]["id"]), one[1])]
    finally:
        engine.dispose()
    await _by_organisation(delivery, "registerParty", new_parties)
    await _by_organisation(delivery, "registerPlace", new_places)
    return len(new_parties), len(new_places)


def _same(found: registry.PartyRecord | registry.PlaceRecord | None, wanted: dict[str, Any]) -> bool:
    """Whether the ledger's record says all that the registration would say."""
    return found is not None and wanted.items() <= found.detail.items()


async def _by_organisation(delivery: Delivery, function: str, registrations: Iterable[Registration]) -> None:
    by_msp: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for msp_id, document in registrations:
        by_msp[msp_id].append(document)
    for msp_id, documents in by_msp.items():
        for start in range(0, len(documents), _AT_ONCE):
            await delivery.register(msp_id, function, documents[start : start + _AT_ONCE])
