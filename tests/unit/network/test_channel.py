"""The tools that need an orderer ask another one while the first has no leader."""

from __future__ import annotations

from pathlib import Path

import pytest

from network import channel as subject
from network.channel import Channel
from network.layout import Layout
from network.nodes import Nodes
from network.operations import Operations
from network.processes import Processes
from network.tools import ToolError
from network.topology import Peer, build

LEADERLESS = "Error: got unexpected status: SERVICE_UNAVAILABLE -- no Raft leader"


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    topology, layout = build({"farm": 1}, orderers=3), Layout(tmp_path)
    nodes = Nodes(topology, layout, Processes(tmp_path), tmp_path)
    return Channel(topology, layout, nodes, tmp_path, Operations(topology, layout))


def asked(channel: Channel, monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Which orderers are asked when the tool says this; an answer that is empty is a success."""
    left = list(answers)
    orderers: list[str] = []

    def peer_tool(_self: Channel, _peer: Peer, *arguments: str) -> str:
        orderers.append(arguments[arguments.index("-o") + 1])
        if said := left.pop(0):
            raise ToolError(said)
        return "fine"

    monkeypatch.setattr(Channel, "peer_tool", peer_tool)
    assert channel.order(channel.topology.organisations[0].peers[0], "lifecycle") == "fine"
    return orderers


def test_while_one_has_no_leader_the_others_are_asked(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [orderer.address for orderer in channel.topology.orderers]
    assert asked(channel, monkeypatch, LEADERLESS, "") == addresses[:2]
    assert asked(channel, monkeypatch, *[LEADERLESS] * 3, "") == [*addresses, addresses[0]]


def test_another_refusal_is_final(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="FORBIDDEN"):
        asked(channel, monkeypatch, "Error: FORBIDDEN", "")


def test_it_ends(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_ELECTION_SECONDS", -1.0)
    with pytest.raises(ToolError, match="no Raft leader"):
        asked(channel, monkeypatch, LEADERLESS, "")
