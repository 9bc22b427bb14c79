"""Processes that outlived what started them: found by a mark in their environment, which their children have too."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from network.waiting import until

MARK = "LOTLINE_NETWORK_PROCESS"
_GRACE = 10.0


def mark(home: Path, name: str) -> dict[str, str]:
    """The environment by which a process of a network, and whatever it starts, is known."""
    return {MARK: f"{name} {home}"}


def end_strays(home: Path, name: str = "") -> list[int]:
    """End every process of this home that bears its mark (of one name, if given); returns their ids.

    SIGTERM, and SIGKILL for what is left after a while.
    """
    found = list(_marked(home, name))
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in _marked(home, name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        with contextlib.suppress(TimeoutError):
            until(lambda: not list(_marked(home, name)), _GRACE, "strays to end")
            break
    return found


def _marked(home: Path, name: str) -> Iterator[int]:
    here = str(home).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid != os.getuid() or not (variables := (folder / "environ").read_bytes()):
                continue  # somebody else's; or a zombie, which has no environment any more
        except OSError:
            continue
        for variable in variables.split(b"\0"):
            key, _, value = variable.partition(b"=")
            its_name, _, its_home = value.partition(b" ")
            mine = key == MARK.encode() and its_home == here and its_name.decode() == (name or its_name.decode())
            if mine and int(folder.name) != os.getpid():
                yield int(folder.name)
