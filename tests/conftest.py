"""Fixtures shared by every test."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.fabric.playground import Playground

_DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


# Hypothesis fails an example that takes more than 200 ms. On a machine that is shared, any example may: the order of an event's
# members once "mattered" for no other reason. How fast things are is for benchmarks to say.
settings.register_profile("lotline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lotline")


def pytest_configure() -> None:
    """What tests start can be interrupted, although a shell lets what it runs in the background ignore that."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input documents (``LOTLINE_DATA``); its tests are skipped where it is absent."""
    path = Path(os.environ.get("LOTLINE_DATA", _DEFAULT_DATA))
    if not (path / "epcis").is_dir():
        pytest.skip(f"no input data at {path}: set LOTLINE_DATA to a folder that holds epcis/ and forecasting/")
    return path


@pytest.fixture(scope="session")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """A real Fabric network of two organisations, started when the first test asks for it."""
    from network.topology import Blocks, build
    from tests.fabric.playground import Playground

    # ten megabytes a block, as Fabric's samples have it and so most networks that there are
    blocks = Blocks(timeout="50ms", absolute_bytes="10 MB")
    topology = build({"farm": 1, "shop": 1}, orderers=1, base_port=free_base_port(), blocks=blocks)
    before = os.umask(0o077)  # as the commands have it
    made = Playground(tmp_path_factory.mktemp("fabric"), topology)
    try:
        made.network.up()
        yield made
    finally:
        made.network.down()
        os.umask(before)


def free_base_port(count: int = 120) -> int:
    """The first of many ports in a row that nobody listens on; each of several test workers looks in a range of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 17500 + 3600 * (worker % 4)
    for base in range(first, first + 3600, count):
        if all(_is_free(port) for port in range(base, base + count)):
            return base
    raise RuntimeError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
