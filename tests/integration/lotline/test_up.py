"""An instance that runs: its processes, what crashes, what ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.lotline.run import answer, lotline
from tests.integration.lotline.test_instance import document, event

DEADLINE = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running instance without its dashboard."""
    home = tmp_path_factory.mktemp("up") / "home"
    lotline(home, "init", "-o", "FarmMSP", "--port", str(free_port()))
    for path in (home, home / "ledger", home / "tokens.db", home / "config.toml"):  # as earlier versions left them
        path.chmod(0o755)
    up = [sys.executable, "-m", "lotline.cli", "--home", str(home), "up", "--no-ui", "--detach"]
    subprocess.run(up, check=True, umask=0o022, stdout=subprocess.DEVNULL)
    yield home
    lotline(home, "down")


def open_to_others(home: Path) -> list[str]:
    """What somebody else may read; files come and go while it runs."""
    found = []
    for path in (home, *home.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_mode & 0o077:
                found.append(str(path))
    return found


def services(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = answer(home, "status")["services"]
    return found


def health(home: Path) -> Any:
    try:
        return httpx.get(services(home)["api"]["url"] + "/health").json()
    except (httpx.HTTPError, KeyError):
        return {}


def test_it_answers_as_soon_as_the_command_returns(home: Path) -> None:
    assert answer(home, "status")["up"] is True
    assert set(services(home)) == {"worker", "api", "watcher"}
    assert health(home)["status"] == "ok"
    assert "up             yes" in lotline(home, "status").stdout


def test_commands_use_its_worker_and_the_api_shows_what_they_did(home: Path) -> None:
    worker = services(home)["worker"]["pid"]
    captured = answer(home, "capture", "-", stdin=document(event(1, "commissioning", action="ADD")))
    assert captured["accepted"] == 1
    assert services(home)["worker"]["pid"] == worker
    token = (home / "admin.token").read_text().strip()
    found = httpx.get(services(home)["api"]["url"] + "/events", headers={"Authorization": f"Bearer {token}"}).json()
    events = found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert [one["bizStep"] for one in events] == ["commissioning"]


def test_nobody_else_may_read_what_runs(home: Path) -> None:
    assert (home / "run" / "worker.json").exists()
    assert (home / "inbox.db-wal").exists()
    assert open_to_others(home) == []


def test_what_must_not_meet_a_running_instance_is_refused(home: Path) -> None:
    assert "lotline down" in lotline(home, "rebuild", code=3).stderr
    assert "up already" in lotline(home, "up", "--no-ui", code=3).stderr
    assert "up already" in lotline(home, "up", "--no-ui", "--detach", code=3).stderr
    assert health(home)["status"] == "ok"


@pytest.mark.parametrize("name", ["api", "worker"])
def test_what_is_killed_comes_back_and_nothing_is_lost(home: Path, name: str) -> None:
    before = services(home)[name]
    os.kill(before["pid"], signal.SIGKILL)
    eventually(lambda: services(home).get(name, {}).get("restarts", 0) > before["restarts"])
    eventually(lambda: health(home).get("status") == "ok")
    day = {"api": 10, "worker": 11}[name]
    assert answer(home, "capture", "-", stdin=document(event(day, "storing")))["accepted"] == 1


def test_no_token_is_written_to_a_log_or_left_readable(home: Path) -> None:
    token = (home / "admin.token").read_text().strip()
    for path in [*(home / "logs").iterdir(), *(home / "run").iterdir()]:
        assert token not in path.read_text(errors="replace"), path


def test_down_ends_everything_and_a_second_down_says_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    lotline(home, "init", "-o", "FarmMSP", "--port", str(free_port()))
    started = answer(home, "up", "--no-ui", "--detach")
    pids = [one["pid"] for one in services(home).values()]
    assert started["urls"]["api"].startswith("http://127.0.0.1:")
    assert answer(home, "down") == {"home": str(home), "stopped": True}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert answer(home, "down")["stopped"] is False
    assert answer(home, "status")["up"] is False


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        lotline(home, "init", "-o", "FarmMSP", "--port", str(taken.getsockname()[1]))
        failed = lotline(home, "up", "--no-ui", code=3)
    assert "the API can't listen" in failed.stderr
    assert "config.toml" in failed.stderr
    assert answer(home, "status")["up"] is False
    assert json.loads((home / "run" / "up.json").read_text() if (home / "run" / "up.json").exists() else "{}") == {}
