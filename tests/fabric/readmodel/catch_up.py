"""As its namesake for the embedded ledger, from a network: ``… catch_up CONNECTION MSP_FOLDER CHAINCODE MODEL``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ledger.network.adapter import FabricLedger
from ledger.network.connection import read_connection
from ledger.network.wallet import msp_identity
from readmodel import Projector, open_engine
from tests.integration.readmodel.catch_up import catch_up


async def main(connection_file: str, msp: str, chaincode: str, model: str) -> None:
    """Connect and catch up."""
    connection = read_connection(Path(connection_file))
    reader = msp_identity(Path(msp), connection.msp_id, "reader")
    ledger = FabricLedger({connection.msp_id: connection.peers}, reader, connection.channel, chaincode)
    await catch_up(ledger, Projector(open_engine(Path(model)), chaincode))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
