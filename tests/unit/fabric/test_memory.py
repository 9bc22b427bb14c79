"""Memory that was given back is asked for again page by page; what is kept is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

_BURSTS = """
import resource, sys
from fabric.shim.memory import keep_memory

if sys.argv[1] == "keep" and not keep_memory():
    sys.exit(3)
for burst in range(20):
    [bytearray(100_000) for _ in range(100)]
    if burst == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Pages that had to be fetched for 18 bursts of 10 MB each, after two others."""
    done = subprocess.run([sys.executable, "-c", _BURSTS, how], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("this C library has no mallopt")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_bursts_find_the_memory_of_the_last() -> None:
    assert faults("keep") < 500
    assert faults("leave") > 5_000
