"""Links that sign in to the dashboard once: the file of their digests, which the dashboard's server reads."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from pathlib import Path

from instance.settings import Settings
from ledger.private import write_private

FIRST_SECONDS = 24 * 3600.0
"""How long the link that `lotline up` prints can be used."""
LATER_SECONDS = 600.0


def codes_file(settings: Settings) -> Path:
    return settings.run_dir / "signin.json"


def new_link(settings: Settings, url: str, seconds: float, *, first: bool = False) -> str:
    """An address of the dashboard at ``url`` that signs in one browser; with ``first``, all earlier ones end."""
    code = secrets.token_urlsafe(24)
    known = {} if first else _known(codes_file(settings))
    known[hashlib.sha256(code.encode()).hexdigest()] = time.time() + seconds
    write_private(codes_file(settings), json.dumps(known))
    return f"{url}/signin?code={code}"


def _known(file: Path) -> dict[str, float]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {name: end for name, end in found.items() if end > time.time()} if isinstance(found, dict) else {}
