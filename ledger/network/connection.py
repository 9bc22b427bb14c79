"""Connection files: which peers an organisation talks to, and for which channel and chaincode."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric.gateway.options import TLS
from ledger.network.peers import GatewayPeer


@dataclass(frozen=True)
class Connection:
    """What a connection file says."""

    msp_id: str
    channel: str
    chaincode: str
    peers: tuple[GatewayPeer, ...]


def read_connection(path: Path) -> Connection:
    """Read a connection file (JSON).

    ``{"mspId", "channel", "chaincode", "peers": [{"address", "tlsCaPem" or "tlsCaFile", "serverName"?}]}``; files are
    named relative to it. A peer without either is dialled without TLS. Raises ValueError saying what is wrong.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no connection file: {error}") from error
    try:
        peers = tuple(_peer(entry, path.parent) for entry in document["peers"])
        found = Connection(str(document["mspId"]), str(document["channel"]), str(document["chaincode"]), peers)
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]} is missing") from error
    except (OSError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error
    if not peers:
        raise ValueError(f"{path}: no peers")
    return found


def _peer(entry: dict[str, Any], folder: Path) -> GatewayPeer:
    root: bytes | None = None
    if "tlsCaPem" in entry:
        root = entry["tlsCaPem"].encode()
    elif "tlsCaFile" in entry:
        root = (folder / entry["tlsCaFile"]).read_bytes()
    return GatewayPeer(str(entry["address"]), TLS(root, server_name=entry.get("serverName")) if root else None)
