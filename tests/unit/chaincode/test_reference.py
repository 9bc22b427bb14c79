"""docs/contract.md names everything that the contract can answer or write."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chaincode.contract import FUNCTIONS
from tests.unit.chaincode.test_determinism import told

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = (ROOT / "docs" / "contract.md").read_text()
SOURCES = "\n".join(file.read_text() for file in sorted((ROOT / "chaincode").rglob("*.py")))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions(name: str) -> None:
    assert f"`{name}`" in REFERENCE


@pytest.mark.parametrize(
    "code", sorted(set(re.findall(r"raise Rejection\(\s*\"([a-z_]+)\"", SOURCES)) | {"rolled_back"})
)
def test_rejection_codes(code: str) -> None:
    assert f"`{code}`" in REFERENCE


@pytest.mark.parametrize("flag", sorted(set(re.findall(r"flags\.add\(\"([a-z_]+)\"\)", SOURCES))))
def test_flags(flag: str) -> None:
    assert f"`{flag}`" in REFERENCE


@pytest.mark.parametrize(
    "kind",
    sorted(
        set(re.findall(r"open_exception\(\s*context,\s*fact,\s*\"([a-z_]+)\"", SOURCES))
        | set(re.findall(r"faults\[\"([a-z_]+)\"\]", SOURCES))
        | set(re.findall(r"\{\s*\"([a-z_]+)\": f\"", SOURCES))
    ),
)
def test_exceptions(kind: str) -> None:
    assert f"`{kind}`" in REFERENCE


@pytest.mark.parametrize(
    "kind", sorted(set(re.findall(r'f?"\\x00([A-Z]{2})\\x00', (ROOT / "chaincode" / "keys.py").read_text())))
)
def test_keys(kind: str) -> None:
    assert f"`{kind}`" in REFERENCE


def _row(kind: str) -> str:
    (row,) = (line for line in REFERENCE.splitlines() if line.startswith(f"| `{kind}` |"))
    return row


@pytest.mark.parametrize("kind", ["TH", "HX", "HO", "LT", "LB"])
def test_what_is_protected_names_its_endorsers(kind: str) -> None:
    assert "`endorsers`" in _row(kind)


def _fields() -> list[tuple[str, str]]:
    """(kind of key, field) of every record that a story writes."""
    written = [(key[1:3], json.loads(value)) for *_, writes in told() for key, value in writes if value is not None]
    return sorted({(kind, field) for kind, record in written for field in record})


@pytest.mark.parametrize(("kind", "field"), _fields())
def test_fields(kind: str, field: str) -> None:
    assert f"`{field}`" in _row(kind)
