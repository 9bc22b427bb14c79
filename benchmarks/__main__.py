"""Every claim of the README, measured here: runs each script of this folder and prints one table.

python -m benchmarks                 all of them
python -m benchmarks trace events    those whose name holds one of the words
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.report import COLLECTOR, Line

FOLDER = Path(__file__).parent
_HELPERS = {"__init__", "__main__", "report"}


@dataclass(frozen=True)
class Result:
    """What a script printed as claims, how long it took, how it ended."""

    script: str
    lines: list[Line]
    seconds: float
    code: int


def scripts(words: list[str]) -> list[str]:
    """The scripts' module names."""
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in _HELPERS | _library())
    return [name for name in names if not words or any(word in name for word in words)]


def _library() -> set[str]:
    """Modules that only help others: they can't be run."""
    return {path.stem for path in FOLDER.glob("*.py") if "__main__" not in path.read_text(encoding="utf-8")}


def run(script: str) -> Result:
    """Run one script in a process of its own, its words passed through."""
    with tempfile.TemporaryDirectory() as scratch:
        collector = Path(scratch) / "lines"
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{script}"],
            env={**os.environ, COLLECTOR: str(collector)},
            cwd=FOLDER.parent,
            check=False,
        )
        seconds = time.monotonic() - started
        written = collector.read_text(encoding="utf-8").splitlines() if collector.exists() else []
    return Result(script, [Line(**json.loads(line)) for line in written], seconds, done.returncode)


def main() -> int:
    """0 when every script ran and every claim held."""
    results = []
    for script in scripts(sys.argv[1:]):
        print(f"\n== {script}", flush=True)
        results.append(run(script))
    Console(width=None if sys.stdout.isatty() else 140).print(_table(results))
    kept = all(line.ratio >= 1 for result in results for line in result.lines)
    return 0 if kept and all(result.code == 0 for result in results) else 1


def _table(results: list[Result]) -> Table:
    table = Table(title=f"\n{os.cpu_count()} cores", box=None, title_justify="left", padding=(0, 2, 0, 0))
    for column in ("script", "claim"):
        table.add_column(column)
    for column in ("measured", "promised", "ratio"):
        table.add_column(column, justify="right")
    for result in results:
        if result.code or not result.lines:
            words = f"failed with code {result.code}" if result.code else f"ran {result.seconds:.0f} s, see above"
            table.add_row(result.script, words, "", "", "")
        for line in result.lines:
            measured, target = f"{line.measured:,.4g} {line.unit}", f"{line.target:,.4g}"
            table.add_row(result.script, line.claim, measured, target, f"{line.ratio:.2f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
