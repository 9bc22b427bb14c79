"""Endpoints that administer nodes: nobody is heard there without a certificate of the organisation."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from tests.fabric.playground import Playground

pytestmark = pytest.mark.fabric


def endpoints(place: Playground) -> dict[str, tuple[int, str, Path]]:
    """Port, a path, and the folder of the administrator's TLS files, by what it administers."""
    topology, layout = place.network.topology, place.network.layout
    orderer, peer = topology.orderers[0], next(topology.peers())
    mine = layout.identity(topology.orderer_organisation, "admin") / "tls"
    theirs = layout.identity(topology.organisation(peer.msp_id), "admin") / "tls"
    return {
        "channel participation": (orderer.admin_port, "/participation/v1/channels", mine),
        "an orderer's operations": (orderer.operations_port, "/logspec", mine),
        "a peer's operations": (peer.operations_port, "/logspec", theirs),
    }


@pytest.mark.parametrize("name", ["channel participation", "an orderer's operations", "a peer's operations"])
def test_only_with_a_certificate_of_the_organisation(playground: Playground, name: str) -> None:
    found = endpoints(playground)
    port, path, tls = found[name]
    trusting = ssl.create_default_context(cafile=str(tls / "ca.crt"))
    url = f"https://localhost:{port}{path}"
    with pytest.raises(httpx.TransportError):
        httpx.get(url, verify=trusting)
    foreign = next(other for _, _, other in found.values() if other != tls)
    trusting.load_cert_chain(foreign / "server.crt", foreign / "server.key")
    with pytest.raises(httpx.TransportError):
        httpx.get(url, verify=trusting)
    trusting.load_cert_chain(tls / "server.crt", tls / "server.key")
    assert httpx.get(url, verify=trusting).status_code == 200
    assert httpx.get(f"http://localhost:{port}{path}").status_code == 400


def test_nodes_say_of_themselves_how_they_are(playground: Playground) -> None:
    operations, topology = playground.network.operations, playground.network.topology
    assert [operations.leads(orderer) for orderer in topology.orderers] == [True]
    assert all(int(operations.height(peer)) > 0 for peer in topology.peers())
