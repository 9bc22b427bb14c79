"""Who is signed in to the dashboard: a session stands for a token of the API, kept here and nowhere else.

A browser holds a random number that means nothing to others; the pages of its session ask the API with the token. Sessions end
after some hours, when they are signed out, and with the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

COOKIE = "lotline_session"
SESSION_SECONDS = 12 * 3600.0
_MOST = 10_000


@dataclass(frozen=True)
class Session:
    """One browser that is signed in."""

    token: str
    ends: float
    own: bool
    """Whether the token is the user's own, and not the one that `lotline up` made for links."""

    @property
    def who(self) -> str:
        """Tells sessions of different rights apart, and no token."""
        return _digest(self.token)[:16]


class Sessions:
    """All sessions of a server. Safe to share between threads."""

    def __init__(self, seconds: float = SESSION_SECONDS, clock: Callable[[], float] = time.time) -> None:
        self._seconds = seconds
        self._clock = clock
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, token: str, *, own: bool) -> str:
        """A new session for a token; returns what its browser keeps."""
        name = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one.ends > now}
            while len(self._open) >= _MOST:
                del self._open[next(iter(self._open))]
            # by its digest: how long a look-up takes tells nothing of the names
            self._open[_digest(name)] = Session(token, now + self._seconds, own)
        return name

    def find(self, name: str | None) -> Session | None:
        """The session that a browser speaks of, if it is one and has not ended."""
        if not isinstance(name, str):
            return None
        with self._lock:
            found = self._open.get(_digest(name))
        return found if found is not None and found.ends > self._clock() else None

    def close(self, name: str | None) -> None:
        """Sign out."""
        with self._lock:
            self._open.pop(_digest(name or ""), None)


class Codes:
    """Links that sign in once, made by whoever may read the home (`lotline up`, `lotline signin`). The file has their digests."""

    def __init__(self, file: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock

    @classmethod
    def from_environment(cls) -> Codes:
        """Of the file that ``LOTLINE_SIGN_IN`` names."""
        named = os.environ.get("LOTLINE_SIGN_IN", "")
        return cls(Path(named) if named else None)

    def take(self, code: str) -> bool:
        """Whether the code opens a session; it does so once."""
        known = self._read()
        ends = known.pop(_digest(code), 0.0)
        if ends and self._file is not None:
            scratch = self._file.with_suffix(".taken")
            scratch.write_text(json.dumps(known))
            scratch.replace(self._file)
        return ends > self._clock()

    def _read(self) -> dict[str, float]:
        try:
            found = {} if self._file is None else json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


SESSIONS = Sessions()
"""Those of this server."""
