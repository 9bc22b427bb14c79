"""Memory of a process that works in bursts.

glibc gives memory back to the system as soon as a transaction is done with it, and the next transaction asks for it again,
page by page: some thousand pages, which is up to a tenth of what a contract costs.
"""

from __future__ import annotations

import ctypes

# glibc's malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT = 64 * 1024 * 1024
_LARGEST_PIECE = 32 * 1024 * 1024  # the most that glibc takes


def keep_memory() -> bool:
    """Keep up to 64 MiB that are free, for what comes next. False where the C library has no such setting."""
    set_option = getattr(ctypes.pythonapi, "mallopt", None)
    if set_option is None:
        return False
    return bool(set_option(_TRIM_THRESHOLD, _KEPT)) and bool(set_option(_MMAP_THRESHOLD, _LARGEST_PIECE))
