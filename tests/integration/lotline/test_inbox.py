"""Failed and waiting jobs by commands: seen, acknowledged, exported, sent again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from instance.creation import OrganisationConfig, create_instance, load_settings
from instance.database import transaction
from relay.batches import Batches, Lane
from relay.inbox import NewJob
from relay.intake import Intake, read
from relay.jobs import Failure, find_job
from relay.schema import open_inbox
from relay.writer import store
from tests.integration.lotline.run import answer, lotline
from tests.integration.lotline.test_instance import document, event


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An instance with two failed jobs and one that waits; nobody works on it."""
    home = tmp_path / "home"
    create_instance(home, organisations=[OrganisationConfig(msp_id="FarmMSP", name="Farm")])
    with closing(open_inbox(load_settings(home).inbox_file)) as connection:
        batches = Batches(connection, max_events=1, max_bytes=10**6)
        for day in (1, 2, 3):
            intake = read(document(event(day, "storing")))
            assert isinstance(intake, Intake)
            with transaction(connection):
                store(connection, NewJob.of_intake(intake, "FarmMSP", "scanner", "rollback"))
        for _ in range(2):
            batch = batches.next(Lane("FarmMSP", "scanner"))
            assert batch is not None
            batches.failed(batch, Failure(500, "refused_by_contract", "KeyError: 'x'"), alarm=True)
    return home


def jobs(home: Path, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(home, "inbox", "list", *options)["jobs"]
    return found


def test_they_are_listed_with_their_reason(home: Path) -> None:
    found = answer(home, "inbox", "list")
    assert (found["failed"], found["alarms"], found["waiting"]) == (2, 2, 1)
    assert {(job["state"], job["alarm"], job["failure"]["message"]) for job in found["jobs"]} == {
        ("failed", True, "KeyError: 'x'")
    }
    assert [job["state"] for job in jobs(home, "--waiting")] == ["pending"]
    assert "KeyError: 'x'" in lotline(home, "inbox", "list").stdout
    assert len(jobs(home, "--limit", "1")) == 1


def test_an_acknowledged_job_alarms_no_more_and_stays(home: Path) -> None:
    first, second = (job["id"] for job in jobs(home))
    assert answer(home, "inbox", "acknowledge", first) == {"acknowledged": [first]}
    assert answer(home, "inbox", "acknowledge", first) == {"acknowledged": []}
    assert [job["alarm"] for job in jobs(home)] == [False, True]
    assert answer(home, "inbox", "acknowledge", "--all") == {"acknowledged": [second]}
    assert answer(home, "inbox", "list")["alarms"] == 0


def test_what_is_sent_again_reaches_the_ledger_once(home: Path, tmp_path: Path) -> None:
    exported = tmp_path / "failed.jsonld"
    assert answer(home, "inbox", "export", str(exported))["events"] == 2
    first, second = (job["id"] for job in jobs(home))
    assert answer(home, "inbox", "retry", first) == {"retried": [first]}
    captured = answer(home, "capture", str(exported))  # with a worker of its own, which also does what waits
    assert (captured["accepted"], captured["rejected"]) == (2, 0)
    assert answer(home, "inbox", "retry", "--all")["retried"] == [second]
    assert answer(home, "capture", str(exported))["duplicate"] == 2
    with closing(open_inbox(load_settings(home).inbox_file)) as connection:
        outcomes = [find_job(connection, job_id) for job_id in (first, second)]
    assert [(job.state, job.accepted, job.duplicate) for job in outcomes if job] == [("done", 0, 1)] * 2
    assert jobs(home) == []


def test_an_export_writes_over_nothing(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "there.json"
    file.write_text("mine")
    assert "is there already" in lotline(home, "inbox", "export", str(file), code=2).stderr
    assert file.read_text() == "mine"
    lotline(home, "inbox", "export", str(tmp_path / "no" / "folder"), code=3)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["retry"], 2, "name jobs"),
        (["retry", "--all", "0" * 32], 2, "name jobs"),
        (["retry", "0" * 32], 1, "there is no job"),
        (["acknowledge", "0" * 32], 1, "there is no job"),
        (["export", "f", "0" * 32], 1, "there is no job"),
        (["export", "f", "-o", "NoMSP"], 3, "no organisation"),
    ],
)
def test_what_makes_no_sense_is_told(home: Path, words: list[str], code: int, told: str) -> None:
    assert told in lotline(home, "inbox", *words, code=code).stderr


def test_a_job_that_waits_cannot_be_retried(home: Path) -> None:
    (waiting,) = (job["id"] for job in jobs(home, "--waiting"))
    assert "has not failed" in lotline(home, "inbox", "retry", waiting, code=1).stderr
