"""What one pass of the watcher found."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import orjson

from ledger.private import write_private

FILE = "audit.json"
"""In the folder of what runs."""
MOST = 200
"""Findings that are kept of a pass; the number of all is kept too."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not what the ledger's blocks make it."""

    where: Literal["blocks", "state", "tables"]
    whose: str
    """Whose copy: an organisation's peers, or a file."""
    what: str
    """The block, key or row."""
    detail: str
    block: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One pass. Times are seconds since 1970."""

    began: float
    ended: float
    blocks: int
    rows: int
    count: int = 0
    findings: list[Finding] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """What could not be looked at, in words for people."""


def write_report(folder: Path, report: Report) -> None:
    """Keep a report in place of the last one, in one step."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / FILE, orjson.dumps(asdict(report)))


def read_report(folder: Path) -> Report | None:
    """The last report, None before the first."""
    with contextlib.suppress(FileNotFoundError, orjson.JSONDecodeError, TypeError, KeyError):
        said = orjson.loads((folder / FILE).read_bytes())
        return Report(**{**said, "findings": [Finding(**one) for one in said["findings"]]})
    return None
