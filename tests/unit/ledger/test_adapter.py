"""The network's ledger before anything was asked of it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from fabric.words.identity import Identity
from ledger.network.adapter import FabricLedger
from ledger.network.peers import GatewayPeer
from ledger.port import Ledger

READER = Identity("reader", "FarmMSP", b"", ec.generate_private_key(ec.SECP256R1()))


def test_who_has_sent_nothing_knows_of_no_trouble() -> None:
    ledger: Ledger = FabricLedger({"FarmMSP": [GatewayPeer("localhost:1")]}, READER)
    assert ledger.ordering == ""
