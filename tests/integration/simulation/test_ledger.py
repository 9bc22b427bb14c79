"""A simulated network on the embedded ledger: what the contract finds is what the truth says."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from simulation import Anomalies, SimulationConfig, simulate
from tests.integration.simulation.captured import State, Upload, state_of
from tests.unit.simulation.flows import told

OFTEN = Anomalies(
    lost_pallet=0.05, damaged_pallet=0.05, short_delivery=0.3, missing_receipt=0.05, late_upload=0.1,
    duplicate_upload=0.05,
)  # fmt: skip
CONFIG = SimulationConfig(events=2_000, days=90, seed=3, end=date(2026, 1, 1), anomalies=OFTEN)
PERFECT = SimulationConfig(events=2_000, days=90, seed=3, end=date(2026, 1, 1), anomalies=Anomalies.none())


async def captured(directory: Path, config: SimulationConfig) -> tuple[Upload, State]:
    upload = Upload(directory / "ledger", simulate(config))
    await upload.register()
    await upload.send(upload.run.batches())
    return upload, await state_of(upload.directory)


def exceptions(state: State, kind: str) -> set[str]:
    """What a kind of exception was ever opened on, open or closed."""
    return {record["item"] for record in state["EX"].values() if record["kind"] == kind}


async def test_a_perfect_world_has_no_exception(tmp_path: Path) -> None:
    upload, state = await captured(tmp_path, PERFECT)
    assert upload.verdicts == {"accepted": upload.run.truth()["eventsMade"]}
    assert state.get("EX", {}) == {}
    assert {record["status"] for record in state["HO"].values()} == {"complete", "released"}
    assert not any(record["overdrawn"] for record in state["LB"].values())


async def test_the_contract_finds_what_went_wrong(tmp_path: Path) -> None:
    upload, state = await captured(tmp_path, CONFIG)
    events, truth = told(simulate(CONFIG)), upload.run.truth()
    assert upload.verdicts == {"accepted": len(events), "duplicate": truth["eventsMade"] - len(events)}
    subjects = {
        kind: {anomaly["subject"] for anomaly in truth["anomalies"] if anomaly["kind"] == kind}
        for kind in ("damaged_pallet", "lost_pallet", "short_delivery")
    }
    assert all(subjects.values())
    assert exceptions(state, "damaged") == subjects["damaged_pallet"]
    released = {record["item"] for record in state["HO"].values() if record["status"] != "complete"}
    assert subjects["lost_pallet"] <= released
    short = {
        record["reference"]["id"]
        for record in state["HO"].values()
        if record["kind"] == "lot" and record["status"] == "disputed"
    }
    assert short == subjects["short_delivery"]
    assert Counter(record["status"] for record in state["TH"].values())["destroyed"] > 0


@pytest.mark.parametrize("batches", [1, 60])
async def test_interrupted_it_goes_on_without_doubling(tmp_path: Path, batches: int) -> None:
    """What was sent before is sent again: from the start, because nobody knows what had come through."""
    whole, expected = await captured(tmp_path / "whole", CONFIG)
    broken = Upload(tmp_path / "broken", simulate(CONFIG))
    await broken.register()
    await broken.send(itertools.islice(broken.run.batches(), batches))
    before = broken.verdicts["accepted"]
    assert 0 < before < whole.verdicts["accepted"]
    await broken.send(simulate(CONFIG).batches())
    assert broken.verdicts["accepted"] == whole.verdicts["accepted"]
    assert broken.verdicts["rejected"] == 0
    found = await state_of(broken.directory)
    assert {kind: found[kind] for kind in ("LB", "HO", "TH", "EX")} == {
        kind: expected[kind] for kind in ("LB", "HO", "TH", "EX")
    }
