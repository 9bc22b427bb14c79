"""Every direct dependency is explained, and the locks name neither index nor host."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAME = re.compile(r"^[A-Za-z0-9_.-]+")


def direct() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(text for extra in project["optional-dependencies"].values() for text in extra),
    ]
    return [match[0] for text in wanted if (match := NAME.match(text)) and match[0] != project["name"]]


def test_every_dependency_has_its_line() -> None:
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    cells = [line.split("|")[1] for line in explained.splitlines() if line.startswith("| ")]
    named = {name.strip() for cell in cells for name in cell.split(",")}
    assert sorted(set(direct()) - named) == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-go.lock"])
def test_locks_are_whole_and_name_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links|-f)\b", text, re.MULTILINE)
    pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==", text, re.MULTILINE)
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)


def test_every_dependency_is_locked() -> None:
    locked = (ROOT / "requirements.lock").read_text().lower()
    for name in direct():
        assert re.search(rf"^{re.escape(name.lower())}(\[[a-z,]+\])?==", locked, re.MULTILINE), name
