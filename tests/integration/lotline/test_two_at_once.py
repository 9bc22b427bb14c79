"""Two commands on one home: the second waits, or says in words that it can't."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path
from typing import Any

import pytest

from ledger.embedded.locks import writer_lock
from lotline import delivery
from lotline.supervisor import start_bound
from tests.integration.lotline.run import answer, lotline
from tests.integration.lotline.test_instance import document, event


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("two") / "home"
    lotline(made, "init", "-o", "FarmMSP")
    return made


def test_the_second_goes_on_when_the_first_is_done(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, started = writer_lock(home / "ledger"), threading.Semaphore(0)

    def counted(*arguments: Any) -> Any:
        started.release()
        return start_bound(*arguments)

    monkeypatch.setattr(delivery, "start_bound", counted)
    answers: list[Any] = []
    command = threading.Thread(
        target=lambda: answers.append(
            answer(home, "capture", "-", stdin=document(event(1, "commissioning", action="ADD")))
        )
    )
    command.start()
    for _ in range(2):  # a worker was started again: the one before found the ledger taken
        assert started.acquire(timeout=60)
    lock.close()
    command.join(timeout=60)
    assert [one["accepted"] for one in answers] == [1]


def test_it_does_not_wait_for_ever(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_PATIENCE", 0.0)
    with writer_lock(home / "ledger"):
        failed = lotline(home, "capture", "-", stdin=document(event(2, "storing")), code=3)
    assert "another command is at work on this home" in failed.stderr
    assert "{" not in failed.stderr
    monkeypatch.undo()
    again = answer(home, "capture", "-", stdin=document(event(2, "storing")))
    assert (again["accepted"], again["duplicate"]) == (0, 1)  # what was handed over was kept, and went first


def test_an_instance_whose_worker_does_not_work_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_PATIENCE", 0.0)
    (home / "logs").mkdir(exist_ok=True)
    (home / "logs" / "worker.out").write_text('{"event": "worker failed", "error": "no space left"}\n')
    (home / "run").mkdir(exist_ok=True)
    with (home / "run" / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as `lotline up` holds it, whose worker ends again and again
        failed = lotline(home, "capture", "-", stdin=document(event(3, "storing")), code=3)
    assert "its worker does not work" in failed.stderr
    assert "no space left" in failed.stderr
    assert "kept" in failed.stderr
