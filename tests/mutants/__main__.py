"""`python -m tests.mutants`: the changes that were once not noticed, and so many drawn by chance.

    python -m tests.mutants --drawn 100 --seed 7     so many drawn ones (0: none; --all: every one, which takes days)
    python -m tests.mutants --only lots/filling      of files whose name holds that

Exit code 1 if one of the named changes is not noticed. What survives is printed, with the score: how many of a hundred are noticed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants.changes import Change, changes_of, named

ROOT = Path(__file__).resolve().parents[2]
SCOPE = (
    "chaincode/rules.py",
    "chaincode/claims.py",
    "chaincode/handoffs.py",
    "chaincode/goods/*.py",
    "chaincode/lots/*.py",
)
CONTRACT = "tests/unit/chaincode"
NAMED = [
    ("chaincode/rules.py", ' and lot["commissioned"]:', ":", CONTRACT),
    ("chaincode/rules.py", "fact.time > ended[0]", "fact.time >= ended[0]", CONTRACT),
    ("chaincode/goods/custody.py", "touch.time == time and ", "touch.time < time and ", CONTRACT),
    ("chaincode/lots/filling.py", " and _unconfirmed(receipt) > 0", " and False", CONTRACT),
    ("chaincode/lots/filling.py", "    exact = [release for release in named or known if release.exact and release.open == answer.quantity]", "    exact = []", CONTRACT),
    ("chaincode/claims.py", "timedelta(hours=24)", "timedelta(hours=2400)", CONTRACT),
]  # fmt: skip
"""Changes that no test noticed once, by their text: file, what stands there, what stands there instead, and who should notice."""
_SECONDS = 300.0
"""The tests take one minute; a change with which they do not end is noticed."""


@dataclass
class Court:
    """A copy of the sources in which changes are made, and tests that are to notice."""

    folder: Path
    caught_by: Counter[str] = field(default_factory=Counter)
    """What notices most is asked first."""

    def notices(self, change: Change, tests: str) -> bool:
        """Whether a test fails with the change made."""
        file = self.folder / change.file
        source = file.read_text(encoding="utf-8")
        file.write_text(change.made_in(source), encoding="utf-8")
        try:
            return self._fails(tests)
        finally:
            file.write_text(source, encoding="utf-8")

    def _fails(self, tests: str) -> bool:
        files = [str(path.relative_to(self.folder)) for path in sorted((self.folder / tests).glob("test_*.py"))]
        files.sort(key=lambda name: -self.caught_by[name])
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *files]
        environment = {
            "PYTHONPATH": str(self.folder),
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": "",
        }
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            return True
        for line in done.stdout.splitlines():
            if line.startswith(("FAILED ", "ERROR ")):
                self.caught_by[line.split()[1].partition("::")[0]] += 1
        return done.returncode != 0


def copied(folder: Path) -> Court:
    """The sources as they are in the checkout, with what tests read."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return Court(folder)


def drawn(count: int | None, seed: int, only: str) -> list[Change]:
    """So many of all changes of the contract's rules, goods and handoffs (None: all)."""
    files = sorted(path.relative_to(ROOT).as_posix() for pattern in SCOPE for path in ROOT.glob(pattern))
    every = [change for file in files if only in file for change in changes_of(ROOT, file)]
    return every if count is None else random.Random(seed).sample(every, min(count, len(every)))


def survivors(court: Court, changes: Sequence[tuple[Change, str]]) -> list[Change]:
    """Those that nobody notices; says so as it goes on."""
    found = []
    for number, (change, tests) in enumerate(changes, 1):
        noticed = court.notices(change, tests)
        print(f"{number}/{len(changes)} {'noticed ' if noticed else 'SURVIVES'} {change}", flush=True)
        if not noticed:
            found.append(change)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description="Do the tests notice changes of the contract?"
    )
    parser.add_argument("--drawn", type=int, default=100, help="how many are drawn by chance (100)")
    parser.add_argument("--all", action="store_true", help="every one")
    parser.add_argument("--seed", type=int, default=1, help="which are drawn (1)")
    parser.add_argument("--only", default="", help="of files whose name holds this")
    parser.add_argument("--no-named", action="store_true", help="leave out those that were once not noticed")
    said = parser.parse_args()
    known = [] if said.no_named else [(named(ROOT, file, old, new), tests) for file, old, new, tests in NAMED]
    chance = [(change, CONTRACT) for change in drawn(None if said.all else said.drawn, said.seed, said.only)]
    with tempfile.TemporaryDirectory() as folder:
        court = copied(Path(folder))
        left = survivors(court, known)
        alive = survivors(court, chance)
    if chance:
        score = 100 * (1 - len(alive) / len(chance))
        print(f"score: {score:.0f} of 100 ({len(chance) - len(alive)} of {len(chance)} noticed)")
    for change in [*left, *alive]:
        print(f"not noticed: {change}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
