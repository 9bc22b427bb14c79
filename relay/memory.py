"""What the worker holds of memory stays bounded.

A burst makes and drops a lot, on several threads. glibc keeps what was dropped, for each thread apart, so the process stays as
large as its largest moment, several times over. Here it keeps two such stores instead of eight a processor, and gives back
what is free when there was a burst. Other systems' allocators do that by themselves: there nothing is done.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

# malloc.h: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD
_SETTINGS = ((-8, 2), (-3, 2**20), (-1, 2**20))


def bound_memory() -> None:
    """Few stores for all threads, to be called before there are any; what is large (a batch, a block) lies by itself and is
    given back when it is dropped."""
    libc = _glibc()
    if libc is not None:
        for name, value in _SETTINGS:
            libc.mallopt(name, value)


def give_back() -> None:
    """Return what is free to the system; takes milliseconds."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> Any | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
