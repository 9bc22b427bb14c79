"""The dashboard's server, as `lotline up` starts it: who may ask it, and what it tells browsers."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from instance.creation import create_token, load_settings
from instance.settings import HttpSettings, LedgerSettings, OrganisationConfig, Settings
from lotline.services import dashboard
from lotline.signing_in import codes_file, new_link
from tests.integration.api.processes import free_port, until
from tests.integration.ui.conftest import Backend
from ui.signin import judge

HANDSHAKE = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(frozen=True)
class Door:
    """A dashboard that has no API to ask, and the settings of its home."""

    settings: Settings
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def file(self) -> Path:
        return codes_file(self.settings)

    def link(self, seconds: float = 60) -> str:
        """The code of a new link."""
        return new_link(self.settings, self.url, seconds).partition("code=")[2]


@pytest.fixture(scope="module")
def port(door: Door) -> int:
    return door.port


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    ledger = LedgerSettings(organisations=(OrganisationConfig(msp_id="FarmMSP", name="Farm"),))
    http = HttpSettings(allowed_hosts=("trace.example",))
    found = free_port()
    home = tmp_path_factory.mktemp("dashboard")
    settings = Settings(home=home, ledger=ledger, http=http)
    settings.run_dir.mkdir()
    service = dashboard(settings, found, "token")
    log = home / "log"
    with log.open("wb") as output:
        environment = {**os.environ, **service.environment, "LOTLINE_API_URL": f"http://127.0.0.1:{free_port()}"}
        process = subprocess.Popen(service.command, env=environment, stdout=output, stderr=output, umask=0o077)
    try:
        until(service.ready)
        yield Door(settings, found)
    finally:
        process.kill()
        process.wait()


def handshake(port: int, host: str, cookie: str = "") -> int:
    """The status that a browser's page at ``host`` is answered with when it asks for the pages' contents."""
    lines = HANDSHAKE.format(host)
    if cookie:
        lines = lines.replace("\r\n\r\n", f"\r\nCookie: {cookie}\r\n\r\n")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(lines.encode())
        return int(connection.recv(100).split(b" ")[1])


@pytest.fixture
def cookie(door: Door) -> str:
    """Of a browser that came by a link."""
    answer = httpx.get(f"{door.url}/signin", params={"code": door.link()})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    (given,) = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in given.split(";")}
    return given.split(";")[0]


def test_a_page_of_another_name_gets_nothing(port: int, cookie: str) -> None:
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "trace.example"):
        assert handshake(port, host, cookie) == 101, host
    for host in (f"pages.example:{port}", "trace.example.pages.example", "localhost.pages.example"):
        assert handshake(port, host, cookie) == 403, host


def test_without_a_session_there_is_the_door_and_nothing_else(door: Door) -> None:
    page = httpx.get(f"{door.url}/trace?id=x&y=%26", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/signin?next=%2Ftrace%3Fid%3Dx%26y%3D%2526")
    for path in (
        "/",
        "/_stcore/host-config",
        "/static/index.js",
        "/media/x.csv",
        "/_stcore/upload_file/x/y",
        "/metrics",
    ):
        assert httpx.get(f"{door.url}{path}").status_code == 401, path
        assert httpx.post(f"{door.url}{path}").status_code == 401, path
    assert httpx.get(f"{door.url}/_stcore/health").status_code == 200
    assert handshake(door.port, f"127.0.0.1:{door.port}") == 403
    for wrong in ("lotline_session=x", "lotline_session=", "lotline_session", "; ;=;", "lotline_session=" + "a" * 4000):
        assert httpx.get(f"{door.url}/_stcore/host-config", headers={"Cookie": wrong}).status_code == 401
        assert handshake(door.port, f"127.0.0.1:{door.port}", wrong) == 403


def test_the_page_in_front_has_a_name_too(door: Door, cookie: str) -> None:
    answer = httpx.get(f"{door.url}/overview?days=30", headers={"Cookie": cookie})
    assert (answer.status_code, answer.headers["location"]) == (307, "/?days=30")


def test_a_link_works_once_and_not_for_ever(door: Door) -> None:
    code = door.link()
    ahead = httpx.get(f"{door.url}/signin", params={"code": code}, headers={"Sec-Purpose": "prefetch"})
    assert "set-cookie" not in ahead.headers
    assert httpx.get(f"{door.url}/signin", params={"code": code}).status_code == 303
    for spent in (code, door.link(seconds=-1), "", "x", "é" * 50):
        answer = httpx.get(f"{door.url}/signin", params={"code": spent})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert oct(door.file.stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize(
    "to", ["https://pages.example/", "//pages.example", "/\\pages.example", "javascript:x", "/signout", "/a\r\nb"]
)
def test_nobody_is_sent_elsewhere(door: Door, to: str) -> None:
    answer = httpx.get(f"{door.url}/signin", params={"code": door.link(), "next": to})
    assert answer.headers["location"] == "/"


def test_forms_of_other_sites_sign_nobody_in_or_out(door: Door, cookie: str) -> None:
    for headers in ({"Origin": "https://pages.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = httpx.post(f"{door.url}/signin", data={"token": "t"}, headers=headers)
        assert answer.status_code == 403
        assert "another site" in answer.text
    away = httpx.get(f"{door.url}/signout", headers={"Cookie": cookie, "Sec-Fetch-Site": "cross-site"})
    assert away.status_code == 403
    assert httpx.get(f"{door.url}/_stcore/host-config", headers={"Cookie": cookie}).status_code == 200
    mine = httpx.get(f"{door.url}/signout", headers={"Cookie": cookie, "Sec-Fetch-Site": "same-origin"})
    assert (mine.status_code, mine.headers["location"]) == (303, "/signin")
    assert httpx.get(f"{door.url}/_stcore/host-config", headers={"Cookie": cookie}).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"token=t", 503, "does not answer"),
        (b"", 400, "Give a token"),
        (b"token=%00%ff", 401, "unknown"),
        (b"token=" + b"x" * 10_000, 413, "no token"),
        ("token=tökén".encode(), 401, "unknown"),
        (b"token=%3Cscript%3E&next=%22%3E%3Cscript%3E", 503, "does not answer"),
    ],
)
def test_what_is_no_token_is_told(door: Door, body: bytes, status: int, says: str) -> None:
    """There is no API that this dashboard could ask."""
    answer = httpx.post(f"{door.url}/signin?next=%22%3E%3Cscript%3E", content=body, headers={"Origin": door.url})
    assert answer.status_code == status
    assert says in answer.text
    assert "<script" not in answer.text
    assert httpx.put(f"{door.url}/signin").status_code == 405


def test_the_api_judges_tokens(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTLINE_API_URL", backend.url)
    assert judge(backend.token) == ("", 200)
    assert judge(create_token(load_settings(backend.home), "auditor", "auditor"))[1] == 200
    assert judge(create_token(load_settings(backend.home), "scanner", "scanner"))[1] == 403
    assert judge("lot_nobody")[1] == 401


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
