"""The dashboard's server, as `lotline up` starts it: who may ask it, and what it tells browsers."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from instance.settings import HttpSettings, LedgerSettings, OrganisationConfig, Settings
from lotline.services import dashboard
from tests.integration.api.processes import free_port, until

HANDSHAKE = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a dashboard that has no API to ask."""
    ledger = LedgerSettings(organisations=(OrganisationConfig(msp_id="FarmMSP", name="Farm"),))
    http = HttpSettings(allowed_hosts=("trace.example",))
    found = free_port()
    service = dashboard(Settings(home=Path("unused"), ledger=ledger, http=http), found, "token")
    log = tmp_path_factory.mktemp("dashboard") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            service.command, env={**os.environ, **service.environment}, stdout=output, stderr=output
        )
    try:
        until(service.ready)
        yield found
    finally:
        process.kill()
        process.wait()


def handshake(port: int, host: str) -> int:
    """The status that a browser's page at ``host`` is answered with when it asks for the pages' contents."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(HANDSHAKE.format(host).encode())
        return int(connection.recv(100).split(b" ")[1])


def test_a_page_of_another_name_gets_nothing(port: int) -> None:
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "trace.example"):
        assert handshake(port, host) == 101, host
    for host in (f"pages.example:{port}", "trace.example.pages.example", "localhost.pages.example"):
        assert handshake(port, host) == 403, host


@pytest.mark.parametrize("path", ["/", "/trace", "/_stcore/health", "/static/nothing.js"])
def test_browsers_are_told_to_load_nothing_from_elsewhere_and_to_frame_nothing(port: int, path: str) -> None:
    try:
        headers = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    policy = headers.get_all("content-security-policy")
    assert len(policy) == 1
    assert "default-src 'self'" in policy[0]
    assert "frame-ancestors 'none'" in policy[0]
    assert "http" not in policy[0]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
