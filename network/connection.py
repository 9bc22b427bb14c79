"""Connection files: all that a client of one organisation needs to reach a network, ours or somebody else's.

``{"mspId", "channel", "chaincode", "peers": [{"address", "tlsCaFile", "serverName"?}], "certificateFile", "keyFile"}``, paths
absolute or relative to the file.
"""

from __future__ import annotations

from typing import Any

import orjson

from network.layout import Layout
from network.topology import Organisation, Topology


def connection(topology: Topology, layout: Layout, organisation: Organisation, name: str = "admin") -> dict[str, Any]:
    """The connection of one identity: its own peers first, the others' after them for when those are down."""
    identity = layout.identity(organisation, name) / "msp"
    key = next((identity / "keystore").iterdir())
    ordered = sorted(topology.organisations, key=lambda other: other is not organisation)
    peers = [
        {"address": peer.address, "mspId": peer.msp_id, "tlsCaFile": str(layout.authority_certificate(owner))}
        for owner in ordered
        for peer in owner.peers
    ]
    return {
        "mspId": organisation.msp_id,
        "channel": topology.channel,
        "chaincode": topology.chaincode,
        "peers": peers,
        "certificateFile": str(identity / "signcerts" / "cert.pem"),
        "keyFile": str(key),
    }


def write_connections(topology: Topology, layout: Layout) -> None:
    """A connection file of every organisation's administrator."""
    for organisation in topology.organisations:
        file = layout.organisation(organisation) / "connection.json"
        file.write_bytes(orjson.dumps(connection(topology, layout, organisation), option=orjson.OPT_INDENT_2))
