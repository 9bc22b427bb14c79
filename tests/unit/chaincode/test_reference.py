"""docs/contract.md names everything that the contract can answer or write."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chaincode.contract import FUNCTIONS
from chaincode.rulebook import LANGUAGE, RULES, Rule
from tests.unit.chaincode.test_determinism import told

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = (ROOT / "docs" / "contract.md").read_text()
SOURCES = "\n".join(file.read_text() for file in sorted((ROOT / "chaincode").rglob("*.py")))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions(name: str) -> None:
    assert f"`{name}`" in REFERENCE


RAISED = set(re.findall(r"\b(?:Rejection|Objection|object_to)\((?:fold, entry, )?\s*\"([a-z_]+)\"", SOURCES))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_list_of_rules_is_the_contracts(rule: Rule) -> None:
    code = rule.code if rule.code == LANGUAGE else f"`{rule.code}`"
    assert f"| {rule.number} | {code} | {rule.when} | {rule.says} |" in REFERENCE.splitlines()


def test_every_reason_for_refusal_is_a_rule_and_every_rule_a_reason() -> None:
    ours = {rule.code for rule in RULES if rule.when != "call"}
    assert RAISED - ours <= {"date_time"}  # the language's
    assert ours - RAISED <= {LANGUAGE, "rolled_back"}
    for rule in RULES:
        if rule.when == "call":
            assert f"``{rule.code}``" in (ROOT / "chaincode" / "rules.py").read_text()


def test_whole_calls_are_forbidden_in_one_place() -> None:
    """Else there would be rules that the list does not have."""
    elsewhere = [
        file.name
        for file in sorted((ROOT / "chaincode").rglob("*.py"))
        if file.name != "rules.py" and re.search(r"Malformed\([^\n]*, 403\)", file.read_text())
    ]
    assert elsewhere == []


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
