"""The prover of an instance: its read model, its ledger, and who asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine

from instance.identities import Identities
from instance.ledgers import open_readers
from instance.settings import Settings
from proving.prover import Prover


@asynccontextmanager
async def proving(settings: Settings, engine: Engine) -> AsyncIterator[Prover]:
    """A prover that asks as the auditor of the instance's first organisation, beside whoever writes to the ledger."""
    readers = await open_readers(settings)
    try:
        msp = settings.msp_id()
        identity = Identities(settings).get(msp, "auditor")
        one_party = settings.ledger.kind == "embedded"
        chaincode = "lotline" if one_party else settings.ledger.chaincode
        yield Prover(engine, readers[msp], identity, one_party=one_party, chaincode=chaincode)
    finally:
        for ledger in readers.values():
            await ledger.close()
