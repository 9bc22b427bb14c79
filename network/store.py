"""A topology as a file, so that a network found on disk is the network that was made."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import orjson

from network.topology import Blocks, Consensus, Orderer, Organisation, Peer, Topology


def write(path: Path, topology: Topology) -> None:
    """Keep a topology."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(asdict(topology), option=orjson.OPT_INDENT_2))


def read(path: Path) -> Topology | None:
    """The topology kept there, or None."""
    if not path.exists():
        return None
    document = orjson.loads(path.read_bytes())
    return Topology(
        channel=document["channel"],
        chaincode=document["chaincode"],
        consensus=Consensus(document["consensus"]),
        organisations=tuple(_organisation(entry) for entry in document["organisations"]),
        orderer_organisation=_organisation(document["orderer_organisation"]),
        orderers=tuple(Orderer(**entry) for entry in document["orderers"]),
        blocks=Blocks(**document["blocks"]),
    )


def _organisation(entry: dict[str, object]) -> Organisation:
    peers = tuple(Peer(**peer) for peer in entry["peers"])  # type: ignore[attr-defined]
    return Organisation(**{**entry, "peers": peers})  # type: ignore[arg-type]
