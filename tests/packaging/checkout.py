"""The sources as they are, and what may lie among them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOMES = ("network/home", "lotline_home", "relay1", "ui/mine", ".lotline")
"""Where people keep homes: names that begin like a package's, and folders within packages."""


def copy_of_the_sources(target: Path) -> Path:
    """All files that belong to the project, without what lies in the checkout beside them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no checkout: which files belong to the project is not known")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "benchmarks/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def with_homes(sources: Path) -> None:
    """Put homes where somebody may have made them."""
    for name in HOMES:
        for file in ("config.toml", "admin.token", "ledger/organisations/AMSP/ca.key", "run/x.json", "config.py"):
            path = sources / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("secret")
