"""Connection files: all that a client of one organisation needs to reach a network, ours or somebody else's.

``{"mspId", "channel", "chaincode", "peers": [{"address", "mspId"?, "tlsCaPem", "serverName"?}]}``. No secrets are in it.
"""

from __future__ import annotations

from typing import Any

import orjson

from network.layout import Layout
from network.topology import Organisation, Topology


def connection(topology: Topology, layout: Layout, organisation: Organisation) -> dict[str, Any]:
    """The connection of an organisation: its own peers first, the others' after them for when those are down."""
    ordered = sorted(topology.organisations, key=lambda other: other is not organisation)
    peers = [
        {
            "address": peer.address,
            "mspId": peer.msp_id,
            "tlsCaPem": layout.authority_certificate(owner).read_text(),
        }
        for owner in ordered
        for peer in owner.peers
    ]
    return {
        "mspId": organisation.msp_id,
        "channel": topology.channel,
        "chaincode": topology.chaincode,
        "peers": peers,
    }


def write_connections(topology: Topology, layout: Layout) -> None:
    """A connection file for every organisation."""
    for organisation in topology.organisations:
        content = connection(topology, layout, organisation)
        layout.connection(organisation).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
