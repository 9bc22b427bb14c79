"""Keeps a command running: ``python -m network.keep COMMAND…`` starts it again whenever it ends, until SIGTERM."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_STEADY_SECONDS = 10.0
_GRACE = 10.0
_PR_SET_PDEATHSIG = 1


def keep(command: Sequence[str], stopping: threading.Event) -> None:
    """Run the command for ever; one that ends at once again and again is started ever more slowly."""
    pause = _FIRST_PAUSE
    while not stopping.is_set():
        started = time.monotonic()
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, preexec_fn=_end_with_keeper if sys.platform == "linux" else None
        )
        _wait(process, stopping)
        if stopping.is_set():
            return
        print(f"{command[-1]} ended with code {process.returncode}: starting it again", flush=True)
        pause = _FIRST_PAUSE if time.monotonic() - started > _STEADY_SECONDS else min(2 * pause, _LONGEST_PAUSE)
        stopping.wait(pause)


def _end_with_keeper() -> None:
    """A server whose keeper is killed outright would hold its port for ever."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait(process: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    ended = threading.Thread(target=process.wait, daemon=True)
    ended.start()
    while ended.is_alive() and not stopping.is_set():
        ended.join(0.05)
    if ended.is_alive():
        process.terminate()
        ended.join(_GRACE)
        if ended.is_alive():
            process.kill()
            ended.join()


def main() -> int:
    """Until SIGTERM or SIGINT."""
    os.umask(0o077)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    keep(sys.argv[1:], stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
