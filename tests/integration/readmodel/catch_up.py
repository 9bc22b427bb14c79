"""Reads an embedded ledger into a read model, block by block, and says so: ``… catch_up LEDGER MODEL``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ledger.embedded.adapter import EmbeddedLedger
from ledger.port import Ledger
from readmodel import Projector, open_engine


async def catch_up(ledger: Ledger, projector: Projector) -> None:
    """One line for each block whose events were applied just now."""
    for number in range(await ledger.height()):
        if projector.apply(await ledger.block(number)).events:
            print(number, flush=True)


async def main() -> None:
    """Open the ledger and catch up."""
    ledger = await EmbeddedLedger.open(Path(sys.argv[1]), read_only=True)
    await catch_up(ledger, Projector(open_engine(Path(sys.argv[2]))))


if __name__ == "__main__":
    asyncio.run(main())
