"""`lotline event-hash` prints what the golden files of the reference implementation hold."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lotline.cli import app

# A prehash file that does not hash to its own hash file was damaged when it was made; it proves nothing.
_DAMAGED = {
    "epcisDocWithAllGS1Keys",
    "epcisDocWithCustomSchemaInContext",
    "epcisDocWithDefaultSchemaInContext",
}


@pytest.fixture(scope="module")
def examples(shared_data: Path) -> Path:
    return shared_data / "epcis" / "event-hash" / "examples"


def lines(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, ["event-hash", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_every_golden_hash_is_printed(examples: Path) -> None:
    checked = 0
    for golden in sorted(examples.glob("*.hashes")):
        document = golden.with_suffix(".jsonld")
        if document.exists():
            assert lines(str(document)) == golden.read_text().split(), document.name
            checked += 1
    assert checked == 22


def test_every_golden_prehash_is_printed(examples: Path) -> None:
    checked, damaged = 0, set()
    for golden in sorted(examples.glob("*.prehashes")):
        document = golden.with_suffix(".jsonld")
        if not document.exists():
            continue
        expected = golden.read_text().splitlines()
        hashes = golden.with_suffix(".hashes").read_text().split()
        own = [f"ni:///sha-256;{hashlib.sha256(line.encode()).hexdigest()}?ver=CBV2.0" for line in expected]
        if own != hashes:
            damaged.add(golden.stem)
            continue
        assert lines("--prehash", str(document)) == expected, document.name
        checked += 1
    assert damaged == _DAMAGED
    assert checked == 18


def test_several_documents_stdin_and_json(examples: Path) -> None:
    first, second = (examples / f"{name}.jsonld" for name in ("TimeStampRoundOff", "persistentDisposition"))
    both = lines(str(first), str(second))
    assert both == lines(str(first)) + lines(str(second))
    piped = CliRunner().invoke(app, ["event-hash", "-"], input=first.read_bytes())
    assert piped.stdout.splitlines() == lines(str(first))
    rows = json.loads("\n".join(lines("--json", "--prehash", str(first))))
    assert [row["hash"] for row in rows] == lines(str(first))
    assert [row["prehash"] for row in rows] == lines("--prehash", str(first))


def test_versions_are_kept_apart(examples: Path) -> None:
    document = str(examples / "epcisDocWithSensorDataObjectEvent.jsonld")
    (old,), (new,) = lines(document), lines("--version", "CBV2.1", document)
    assert old.endswith("?ver=CBV2.0")
    assert new.endswith("?ver=CBV2.1")
    assert old.split("?")[0] != new.split("?")[0]


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"{", 1, "not JSON"),
        (b"\xff\xfe", 2, "UTF-16"),
        (b'{"type":"EPCISDocument"}', 1, "epcisBody"),
        (b"<?xml version='1.0'?><epcis/>", 2, "is XML"),
    ],
)
def test_a_bad_document_is_told_without_a_traceback(tmp_path: Path, content: bytes, code: int, word: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["event-hash", str(path)])
    assert result.exit_code == code
    assert result.stdout == ""
    assert word in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in CliRunner().invoke(app, ["--debug", "event-hash", str(path)]).stderr


def test_a_missing_file_is_a_usage_error_in_json_too() -> None:
    result = CliRunner().invoke(app, ["event-hash", "--json", "nowhere.json"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["exitCode"] == 2


HEAVY = {
    "alembic",
    "fastapi",
    "fabric_protos",
    "grpc",
    "numpy",
    "pandas",
    "prophet",
    "pydantic",
    "sqlalchemy",
    "streamlit",
    "uvicorn",
}


def test_help_loads_nothing_heavy() -> None:
    """It answers at once because it reads no module that takes time to load."""
    command = [sys.executable, "-X", "importtime", "-m", "lotline.cli", "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.splitlines()}
    assert "typer" in loaded
    assert not loaded & HEAVY
