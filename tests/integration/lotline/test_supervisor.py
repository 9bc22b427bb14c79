"""The supervisor with real child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lotline import pulses, supervisor
from lotline.errors import UnavailableError
from lotline.logfiles import open_log, rotate
from lotline.supervisor import Service, Supervisor, held_lock, is_up, running

DEADLINE = 20.0
# Says that it is there by a file, and lives until it is told to end.
CHILD = "import pathlib, signal, sys; pathlib.Path(sys.argv[1]).write_text(str(1)); signal.pause()"


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.02)


def child(tmp_path: Path, name: str, code: str = CHILD) -> Service:
    mark = tmp_path / f"{name}.mark"
    return Service(name, [sys.executable, "-c", code, str(mark)], ready=mark.exists, url=f"http://{name}")


def pid_of(run_dir: Path, name: str) -> int:
    return int((run_dir / f"{name}.pid").read_text())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child that has ended and was not yet collected still has a pid.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


class Running:
    """A supervisor on a thread of this process."""

    def __init__(self, tmp_path: Path, services: list[Service]) -> None:
        self.run_dir = tmp_path / "run"
        self.said: list[str] = []
        self.ready = threading.Event()
        self.error: BaseException | None = None
        self.supervisor = Supervisor(self.run_dir, tmp_path / "logs", services, self.said.append)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.supervisor.run(on_ready=self.ready.set)
        except BaseException as error:
            self.error = error

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()


@pytest.fixture(autouse=True)
def _no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handlers belong to the main thread, and here the supervisor runs on another."""

    @contextmanager
    def none(self: Supervisor) -> Iterator[None]:
        yield

    monkeypatch.setattr(Supervisor, "_signals", none)


def test_it_starts_all_tells_where_they_are_and_ends_them(tmp_path: Path) -> None:
    up = Running(tmp_path, [child(tmp_path, "one"), child(tmp_path, "two")])
    up.start()
    eventually(up.ready.is_set)
    assert is_up(up.run_dir)
    pids = [pid_of(up.run_dir, name) for name in ("one", "two")]
    assert all(map(alive, pids))
    state = running(up.run_dir)
    assert state["ready"] is True
    assert state["services"]["two"] == {"pid": pids[1], "restarts": 0, "url": "http://two"}  # type: ignore[index]
    up.supervisor.stop()
    up.join()
    assert not any(map(alive, pids))
    assert not is_up(up.run_dir)
    assert running(up.run_dir) == {}
    assert list(up.run_dir.glob("*.pid")) == []


def test_a_crashed_child_is_started_again_and_the_others_are_left_alone(tmp_path: Path) -> None:
    up = Running(tmp_path, [child(tmp_path, "one"), child(tmp_path, "two")])
    up.start()
    eventually(up.ready.is_set)
    first, other = pid_of(up.run_dir, "one"), pid_of(up.run_dir, "two")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: pid_of(up.run_dir, "one") != first)
    assert any("one ended with code -9" in said for said in up.said)
    assert running(up.run_dir)["services"]["one"]["restarts"] == 1  # type: ignore[index]
    assert pid_of(up.run_dir, "two") == other
    up.supervisor.stop()
    up.join()


def test_a_child_that_hangs_is_ended_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives, and does not move: stopped, it does not even hear that it should end."""
    monkeypatch.setattr(pulses, "ASK_SECONDS", 0.02)
    sign = tmp_path / "sign"
    beating = (
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).write_text('1')\n"
        "while True: pathlib.Path(sys.argv[1] + '.new').write_text(str(time.monotonic()));"
        f" pathlib.Path(sys.argv[1] + '.new').replace({str(sign)!r}); time.sleep(0.02)"
    )
    service = replace(
        child(tmp_path, "one", beating), sign=lambda: sign.read_text() if sign.exists() else None, patience=1.5
    )
    up = Running(tmp_path, [service, child(tmp_path, "two")])
    up.start()
    eventually(up.ready.is_set)
    first, other = pid_of(up.run_dir, "one"), pid_of(up.run_dir, "two")
    os.kill(first, signal.SIGSTOP)
    eventually(lambda: pid_of(up.run_dir, "one") != first)
    assert any("one gave no sign of life" in said for said in up.said)
    assert not alive(first)
    assert pid_of(up.run_dir, "two") == other
    up.supervisor.stop()
    up.join()


def test_a_log_that_grows_is_moved_away_while_its_process_writes_on(tmp_path: Path) -> None:
    log = tmp_path / "one.out"
    with open_log(log) as file:
        for number in range(6):
            file.write(b"%d" % number * 100)
            file.flush()
            rotate(log, limit=50, kept=3)
        file.write(b"last")
    assert log.read_bytes() == b"last"
    kept = {path.name: path.read_bytes()[:1] for path in tmp_path.iterdir() if path != log}
    assert kept == {"one.out.1": b"5", "one.out.2": b"4", "one.out.3": b"3"}


def test_a_child_that_never_gets_ready_ends_the_start_with_its_last_words(tmp_path: Path) -> None:
    broken = child(tmp_path, "broken", "print('no such port', flush=True); raise SystemExit(7)")
    up = Running(tmp_path, [child(tmp_path, "one"), broken])
    up.start()
    up.join()
    assert isinstance(up.error, UnavailableError)
    assert "broken ended with code 7" in up.error.message
    assert "no such port" in up.error.hint
    assert not is_up(up.run_dir)


def test_a_second_supervisor_of_the_same_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with held_lock(tmp_path / "run"):
        up = Running(tmp_path, [child(tmp_path, "one")])
        up.start()
        up.join()
        assert isinstance(up.error, UnavailableError)
        assert not (tmp_path / "one.mark").exists()


def test_back_off_doubles_up_to_a_limit_and_starts_anew_after_a_steady_time(tmp_path: Path) -> None:
    mind = Supervisor(tmp_path / "run", tmp_path / "logs", [], lambda text: None)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    one = supervisor._Child(child(tmp_path, "one"), process, started=0.0)
    waits = []
    for moment in range(1, 11):
        mind._plan_restart(one, float(moment))
        assert one.restart_at is not None
        waits.append(one.restart_at - moment)
        one.started = float(moment)
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(waits) == supervisor.LAST_BACKOFF
    mind._plan_restart(one, one.started + supervisor.STEADY_SECONDS + 1)
    assert one.restart_at is not None
    assert one.restart_at - (one.started + supervisor.STEADY_SECONDS + 1) == supervisor.FIRST_BACKOFF


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_children_do_not_outlive_a_supervisor_that_is_killed_outright(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from lotline.supervisor import Service, Supervisor\n"
        "home = pathlib.Path(sys.argv[1]); mark = home / 'mark'\n"
        f"service = Service('one', [sys.executable, '-c', {CHILD!r}, str(mark)], ready=mark.exists)\n"
        "Supervisor(home / 'run', home / 'logs', [service], print).run()\n"
    )
    outer = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    try:
        eventually((tmp_path / "mark").exists)
        inner = pid_of(tmp_path / "run", "one")
        outer.kill()
        outer.wait()
        eventually(lambda: not Path(f"/proc/{inner}").exists() or not alive(inner))
        assert not is_up(tmp_path / "run")
    finally:
        outer.kill()
