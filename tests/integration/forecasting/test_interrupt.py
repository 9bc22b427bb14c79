"""Ctrl-C while worker processes start: one process hears of it, and ends the others without a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from network.waiting import until

PROGRAM = """
import sys, time
from forecasting.workers import run_all
from tests.integration.forecasting.sleeping import sleep
try:
    list(run_all([1, 2], sleep, 600, 2))
except KeyboardInterrupt:
    sys.exit(130)
"""


def children(pid: int) -> list[int]:
    found = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(deeper for one in found for deeper in children(one))]


def test_ctrl_c_is_heard_once() -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    until(lambda: bool(children(started.pid)), 60, "a process to start others")
    all_of_them = children(started.pid)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does: to everybody in the foreground
    said, _ = started.communicate(timeout=60)
    assert said.decode() == ""
    assert started.returncode == 130
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in all_of_them), 60, "the others to end")
