"""A day's work of a shared instance: a supply network's documents through two API processes, a published delivery record and an
ERP's export, all on one PostgreSQL, with a backup in between.

LOTLINE_MAIN_JOB=1 takes all of it: 40,000 events, 10,324 deliveries, 10,000 movements.
"""

from __future__ import annotations

import gzip
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from instance.creation import create_token, load_settings
from lotline.cli import app
from lotline.errors import NEGATIVE
from tests.integration.api.processes import Process, answers, free_port, until
from tests.integration.databases import new_database
from tests.integration.lotline.run import answer, lotline
from tests.integration.lotline.test_shared import set_up

FULL = bool(os.environ.get("LOTLINE_MAIN_JOB"))
EVENTS, DAYS = (40_000, 730) if FULL else (500, 30)
DELIVERIES, MOVEMENTS = (None, 10_000) if FULL else (120, 300)
MAP = """[table]
delimiter = ";"
time_format = "%Y-%m-%d %H:%M"
timezone = "UTC"
[columns]
id = "Posting"
time = "Posted"
movement = "Mvt"
product = "EAN"
lot = "Batch"
quantity = "Quantity"
unit = "UoM"
place = "Plant"
[movements]
101 = "commissioning"
551 = "destroying"
[places]
P1 = "9521000002012"
[units]
KG = "KGM"
"""


@pytest.mark.timeout(3600 if FULL else 600)
def test_the_main_job(tmp_path: Path, postgres_url: str, shared_data: Path) -> None:
    home, documents, folder, restored = (tmp_path / name for name in ("home", "documents", "backup", "restored"))
    members = ["Supplier", "Manufacturer", "Carrier", "Distributor", "Retailer"]
    made = [part for name in members for part in ("-o", f"{name}MSP={name}")]
    lotline(home, "init", *made, "--database-url", new_database(postgres_url), "--inbox", "database")
    lotline(tmp_path / "nowhere", "simulate", "--events", str(EVENTS), "--days", str(DAYS), "--out", str(documents))
    settings = load_settings(home)
    tokens = {f"{name}MSP": create_token(settings, "scanner", "scanner", f"{name}MSP") for name in members}
    ports = [free_port(), free_port()]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    processes = [Process("relay.worker", home), *(Process("api.server", home, "--port", str(port)) for port in ports)]
    try:
        until(lambda: all(answers(url) for url in urls))
        files = sorted(documents.glob("events-*.jsonld"))
        half = len(files) // 2
        jobs = send(files[:half], urls, tokens)
        with ThreadPoolExecutor(1) as beside:
            copying = beside.submit(answer, home, "backup", str(folder))
            jobs += send(files[half:], urls, tokens)
            assert copying.result()["read_model"] == "elsewhere"
        record = deliveries(shared_data, tmp_path)
        speakers = ["--vendors", "SupplierMSP", "--programme", "DistributorMSP", "--clients", "RetailerMSP"]
        scms = CliRunner().invoke(app, ["--home", str(home), "import", "scms", str(record), *speakers])
        assert scms.exit_code in (0, NEGATIVE), scms.output  # some of its lines are no deliveries
        export, mapping = movements(tmp_path)
        done = answer(home, "import", "table", str(export), "--map", str(mapping), "-o", "ManufacturerMSP")
        assert done["captured"]["accepted"] == MOVEMENTS
        auditor = {"Authorization": f"Bearer {create_token(settings, 'auditor', 'auditor', 'SupplierMSP')}"}
        until(lambda: answer(home, "status")["inbox"]["jobs"] == 0, 1200)
        until(lambda: httpx.get(f"{urls[0]}/overview", headers=auditor, timeout=60).status_code == 200)
        seen = [httpx.get(f"{url}/overview", headers=auditor, timeout=60).json() for url in urls]
        assert {**seen[0], "at": ""} == {**seen[1], "at": ""}
        for (job, msp), url in itertools.product(jobs[:: len(jobs) // 5], urls):
            said = httpx.get(f"{url}/capture/{job}", headers={"Authorization": f"Bearer {tokens[msp]}"}, timeout=60)
            assert said.json()["running"] is False
    finally:
        for process in processes:
            process.stop()
    assert answer(home, "rebuild")["equal"] is True

    lotline(restored, "restore", str(folder))
    set_up(restored, new_database(postgres_url))
    moved = answer(restored, "inbox", "move")
    assert moved["jobs"] >= half  # whatever was answered 202 before it began
    (restored / "logs").mkdir(exist_ok=True)
    worker = Process("relay.worker", restored)
    try:
        until(lambda: answer(restored, "status")["inbox"]["jobs"] == 0, 1200)
    finally:
        worker.stop()
    assert answer(restored, "rebuild")["equal"] is True


def send(files: list[Path], urls: list[str], tokens: dict[str, str]) -> list[tuple[str, str]]:
    """Documents to the API processes in turn, as their organisations; jobs and whose they are."""
    jobs = []
    with httpx.Client(timeout=60) as client:
        for file, url in zip(files, itertools.cycle(urls), strict=False):
            msp = file.stem.rpartition("-")[2]
            sent = client.post(
                f"{url}/capture", content=file.read_bytes(), headers={
                    "Authorization": f"Bearer {tokens[msp]}", "Content-Type": "application/json",
                    "GS1-Capture-Error-Behaviour": "proceed",
                },
            )  # fmt: skip
            assert sent.status_code == 202, sent.text
            jobs.append((sent.json()["captureID"], msp))
    return jobs


def deliveries(shared_data: Path, tmp_path: Path) -> Path:
    source = shared_data / "forecasting" / "scms_delivery_history_to_2013.csv.gz"
    target = tmp_path / "deliveries.csv"
    with gzip.open(source, "rb") as given:
        lines = given.readlines()
    target.write_bytes(b"".join(lines if DELIVERIES is None else lines[: DELIVERIES + 1]))
    return target


def movements(tmp_path: Path) -> tuple[Path, Path]:
    """An ERP's export, and what its columns and codes mean."""
    export, mapping = tmp_path / "movements.csv", tmp_path / "movements.toml"
    rows = [
        f"{4900000 + n};2026-03-{1 + n % 28:02} {n % 24:02}:{n % 60:02};101;9521000001213;LOT-{n};{1 + n % 90}.5;KG;P1"
        for n in range(MOVEMENTS)
    ]
    export.write_text("\n".join(["Posting;Posted;Mvt;EAN;Batch;Quantity;UoM;Plant", *rows]) + "\n")
    mapping.write_text(MAP)
    return export, mapping
