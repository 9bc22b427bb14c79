"""Commits for ever and says what was acknowledged: ``python -m tests.integration.ledger.writer DIR``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from tests.integration.ledger.notebook import Notebook


async def write(folder: Path) -> None:
    """One line for each transaction that is on the ledger: its key."""
    ledger = await EmbeddedLedger.open(folder, contract=Notebook())
    farmer = ca.load_identity(folder / "organisations" / "FarmMSP", "farmer")
    start = await ledger.height()
    print("ready", flush=True)
    for number in range(10**9):
        key = f"{start}-{number}"
        words = [key.encode(), b"x" * 2000, b"log", key.encode()]
        await ledger.submit("put", words, identity=farmer, nonce=key.encode().rjust(24, b"0"))
        print(key, flush=True)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
