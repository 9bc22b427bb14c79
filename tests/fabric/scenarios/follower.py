"""Reads a chaincode's events for as long as it lives: ``… follower CONNECTION MSP_FOLDER CHAINCODE START CHECKPOINT``.

Prints ``seen NAME`` when an event is there and ``kept NAME`` when its checkpoint is on the disk, and then waits for a line.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from fabric.gateway import FileCheckpointer, Gateway, Identity, open_channel
from fabric.gateway.signing import no_hash
from ledger.network.connection import read_connection
from ledger.network.wallet import msp_identity


async def main(connection_file: str, msp: str, chaincode: str, start: str, checkpoint: str) -> None:
    """Follow until killed."""
    connection = read_connection(Path(connection_file))
    peer = connection.peers[0]
    who = msp_identity(Path(msp), connection.msp_id, "follower")
    channel = open_channel(peer.address, peer.tls)
    gateway = Gateway(Identity(who.msp_id, who.certificate), channel, signer=who.sign, hash=no_hash)
    place = FileCheckpointer(Path(checkpoint))
    events = gateway.get_network(connection.channel).get_chaincode_events(chaincode, int(start), checkpoint=place)
    async for event in events:
        print("seen", event.name, flush=True)
        place.checkpoint_chaincode_event(event)
        print("kept", event.name, flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
