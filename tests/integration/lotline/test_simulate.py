"""A simulated network's events, captured: everything is accepted, and the ledger knows what the truth says."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from instance.creation import load_settings
from lotline.lookup import reading
from readmodel.queries.registry import places
from tests.integration.lotline.run import answer, lotline

SIZE = ("--events", "1200", "--days", "60", "--seed", "3", "--end", "2026-05-01")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulation") / "home"


@pytest.fixture(scope="module")
def first(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = answer(home, "simulate", *SIZE)
    return found


def test_every_event_is_taken_whatever_the_organisation(first: dict[str, Any]) -> None:
    assert first["accepted"] > 1000
    assert first["rejected"] == 0
    assert first["reasons"] == {}


def test_the_truth_is_kept_beside_it(home: Path, first: dict[str, Any]) -> None:
    truth = json.loads(Path(first["truth"]).read_text())
    assert Path(first["truth"]).parent == home
    assert truth["eventsMade"] == first["accepted"] + first["duplicate"]
    lot, made = next((lot, made) for lot, made in truth["lots"].items() if made["materials"] and made["places"])
    upstream = answer(home, "trace", lot, "--direction", "upstream")
    assert set(made["materials"]) <= {node["id"] for node in upstream["nodes"]}
    seen = {event["readPoint"] for event in answer(home, "trace", lot)["events"]}
    assert seen & set(made["places"])


def test_places_are_registered_with_names_and_positions(home: Path, first: dict[str, Any]) -> None:
    with reading(load_settings(home)) as connection:
        known = places(connection, registered=True).items
    assert len(known) > 10
    assert all(place.name and place.latitude is not None and place.msp for place in known)


def test_the_same_seed_again_adds_nothing(home: Path, first: dict[str, Any]) -> None:
    again = answer(home, "simulate", *SIZE)
    assert again["accepted"] == 0
    assert again["duplicate"] == first["accepted"] + first["duplicate"]


def test_documents_instead_of_an_instance(tmp_path: Path) -> None:
    written = answer(tmp_path / "none", "simulate", *SIZE, "--out", str(tmp_path / "documents"))
    assert written["events"] > 1000
    assert not (tmp_path / "none").exists()
    lines = lotline(tmp_path / "none", "event-hash", str(next((tmp_path / "documents").glob("*.jsonld")))).stdout
    assert lines.startswith("ni:///sha-256;")


def test_what_cannot_be_simulated_is_told(tmp_path: Path) -> None:
    assert "at least 30 days" in lotline(tmp_path, "simulate", "--days", "3", code=2).stderr
    lotline(tmp_path / "farm", "init", "-o", "FarmMSP")
    assert "--home" in lotline(tmp_path / "farm", "simulate", *SIZE, code=2).stderr


@pytest.mark.parametrize("sign", ["home/.unfinished/ledger", "home/inbox.db", "home/run/worker.json"])
def test_interrupted_it_loses_nothing_and_goes_on(tmp_path: Path, sign: str) -> None:
    """While the instance is made, as soon as it is there, and while its worker works."""
    home = tmp_path / "home"
    command = [sys.executable, "-m", "lotline.cli", "--home", str(home), "simulate", *SIZE, "--json"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(sign)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, words = running.communicate(timeout=60)
    assert running.returncode == 130, words
    assert "interrupted" in words
    assert "Traceback" not in words
    assert list(tmp_path.iterdir()) in ([], [home])
    again = answer(home, "simulate", *SIZE)
    assert again["rejected"] == 0
    assert answer(home, "status")["inbox"]["events"] == 0
