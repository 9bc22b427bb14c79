"""Topologies: what is made by default, what a file may say, and what cannot work."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network import store
from network.topology import Blocks, Consensus, Topology, TopologyError, build, load

FILE = """
[network]
channel = "goods"
consensus = "bft"
orderers = 5
base_port = 20000

[organisations]
maker = 2
shop = 1

[blocks]
timeout = "1s"
messages = 7
"""


def ports(topology: Topology) -> list[int]:
    """Every port that something of the network listens on."""
    found = [organisation.ca_port for organisation in (topology.orderer_organisation, *topology.organisations)]
    found += [port + 1 for port in found]  # the authorities' operations
    for orderer in topology.orderers:
        found += [orderer.port, orderer.operations_port, orderer.admin_port]
    for peer in topology.peers():
        found += [peer.port, peer.operations_port, peer.internal_port]
        found += range(peer.chaincode_port, peer.chaincode_port + 6)
    return found


def test_the_default_network() -> None:
    topology = build()
    assert [one.msp_id for one in topology.organisations] == [
        "SupplierMSP",
        "CarrierMSP",
        "DistributorMSP",
        "RetailerMSP",
    ]
    assert [len(one.peers) for one in topology.organisations] == [1, 1, 1, 1]
    assert (topology.consensus, len(topology.orderers)) == (Consensus.RAFT, 3)
    assert len(build(consensus=Consensus.BFT).orderers) == 4


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers(1, 4), min_size=1, max_size=8),
    st.integers(1, 7),
    st.integers(1024, 50000),
)
def test_no_port_is_given_twice(members: dict[str, int], orderers: int, base_port: int) -> None:
    found = ports(build(members, orderers=orderers, base_port=base_port))
    assert len(set(found)) == len(found)
    assert min(found) >= base_port
    assert max(found) < 65536


def test_a_file_says_it_all(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(FILE)
    topology = load(file)
    assert (topology.channel, topology.consensus, len(topology.orderers)) == ("goods", Consensus.BFT, 5)
    assert {one.name: len(one.peers) for one in topology.organisations} == {"maker": 2, "shop": 1}
    assert topology.orderers[0].port == 20000
    assert topology.blocks == Blocks(timeout="1s", messages=7)


def test_what_was_made_is_found_again(tmp_path: Path) -> None:
    made = build({"maker": 2, "shop": 1}, consensus=Consensus.BFT, blocks=Blocks(messages=3))
    store.write(tmp_path / "kept" / "topology.json", made)
    assert store.read(tmp_path / "kept" / "topology.json") == made
    assert store.read(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[network", "topology.toml"),
        ('[network]\nconsensus = "kafka"', "kafka"),
        ('[network]\nconsensus = "bft"\norderers = 3', "at least 4 orderers"),
        ("[network]\norderers = 0", "needs an orderer"),
        ("[network]\nbase_port = 80", "ports 80"),
        ("[network]\nbase_port = 64990", "ports 64990"),
        ("[organisations]\nmaker = 0", "'maker' needs a peer"),
        ('[organisations]\n"Maker AG" = 1', "'Maker AG'"),
        ('[organisations]\nmaker = "many"', "many"),
        ("[blocks]\nsize = 3", "size"),
    ],
)
def test_what_cannot_work_is_told_with_the_file(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(text)
    with pytest.raises(TopologyError, match=reason) as told:
        load(file)
    assert str(file) in str(told.value)


def test_an_organisation_that_is_not_there() -> None:
    with pytest.raises(TopologyError, match="NobodyMSP"):
        build().organisation("NobodyMSP")


def test_organisations_of_one_name_have_one_msp_each() -> None:
    names = [one.msp_id for one in build({"a": 1, "b": 1, "ab": 1}).organisations]
    assert all(left != right for left, right in itertools.combinations(names, 2))
