"""Real processes that are started, killed and left behind: what a network's `down` leaves is nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from network.network import Network, NetworkError
from network.processes import Processes
from network.strays import end_strays
from network.topology import build
from network.waiting import until
from tests.conftest import free_base_port
from tests.integration.lotline.test_up import free_port

NAME = "chaincode.lotline_1.0.peer0.farm.local"
SERVER = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('up', flush=True); time.sleep(600)"
LEAVING = "import subprocess, sys, time; subprocess.Popen([sys.executable, *sys.argv[1:]], start_new_session=True); time.sleep(600)"


def taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    yield made
    made.end_strays()


def kept(processes: Processes, home: Path, port: int) -> None:
    """A server under its keeper, as chaincode runs."""
    processes.start(NAME, [sys.executable, "-m", "network.keep", sys.executable, "-c", SERVER, str(port)], {}, home)
    until(lambda: taken(port), 30, "the server to listen")


def test_a_server_ends_with_its_keeper_however_that_ends(processes: Processes, tmp_path: Path) -> None:
    port = free_port()
    kept(processes, tmp_path, port)
    os.kill(processes.pid(NAME), signal.SIGKILL)
    until(lambda: not taken(port), 30, "the server to end with its keeper")
    assert not processes.running(NAME)
    kept(processes, tmp_path, port)
    assert processes.running(NAME)
    processes.stop(NAME)
    assert not taken(port)


def test_what_a_killed_process_left_behind_is_ended(processes: Processes, tmp_path: Path) -> None:
    """Also where the kernel did not: the child went into a session of its own, with another parent."""
    port = free_port()
    command = [sys.executable, "-c", LEAVING, "-c", SERVER, str(port)]
    processes.start(NAME, command, {}, tmp_path)
    until(lambda: taken(port), 30, "the child to listen")
    os.kill(processes.pid(NAME), signal.SIGKILL)
    until(lambda: not processes.running(NAME), 30, "the parent to end")
    assert taken(port)
    kept(processes, tmp_path, port)  # starting it again ends what holds its port
    processes.stop(NAME)
    assert not taken(port)


def test_a_network_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    topology = build({"farm": 1}, orderers=1, base_port=free_base_port())
    with pytest.raises(NetworkError, match="question mark"):
        Network(tmp_path / "a?b" / "network", topology).up()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", topology.organisations[0].ca_port))
        taken.listen()
        with pytest.raises(NetworkError, match="ports in use"):
            Network(tmp_path / "c" / "network", topology).up()
    assert list(tmp_path.iterdir()) == []


def test_down_leaves_nothing_even_where_no_file_names_it(tmp_path: Path) -> None:
    network = Network(tmp_path / "a", build({"farm": 1}, orderers=1))
    other = Processes(tmp_path / "a b")
    mine, theirs = free_port(), free_port()
    kept(network.processes, tmp_path, mine)
    kept(other, tmp_path, theirs)
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], cwd=tmp_path / "a")
    try:
        for file in (tmp_path / "a" / "run").iterdir():
            file.unlink()
        said: list[str] = []
        network.down(said.append)
        assert not taken(mine)
        assert "2 processes" in said[0]
        assert taken(theirs)
        assert bystander.poll() is None
        assert end_strays(tmp_path / "a") == []
    finally:
        bystander.kill()
        bystander.wait()
        other.stop(NAME)
