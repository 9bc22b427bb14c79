"""Real records on the default network: what one organisation captured, another traces and forecasts from through its own API."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import free_base_port
from tests.integration.api.processes import free_port, until
from tests.integration.lotline.run import answer, lotline

pytestmark = [pytest.mark.fabric, pytest.mark.timeout(900)]

SPEAKERS = {"--vendors": "SupplierMSP", "--programme": "DistributorMSP", "--clients": "RetailerMSP"}
EVERY = 12


@dataclass
class Place:
    """Who captures, who only reads, and the reader's API."""

    capturing: Path
    reading: Path
    api: httpx.Client

    def catch_up(self) -> None:
        """Wait until the reader's tables have every block that the capturing side knows of."""
        block = answer(self.capturing, "status")["readModel"]["block"]
        until(lambda: (self.api.get("/health").json()["projector"]["checkpoint"] or 0) >= block)


@pytest.fixture(scope="module")
def record(shared_data: Path) -> Path:
    return shared_data / "forecasting" / "scms_delivery_history_to_2013.csv.gz"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Four organisations; one instance speaks for three of them, the carrier has its own."""
    folder = tmp_path_factory.mktemp("job")
    network, capturing, reading = folder / "net", folder / "three", folder / "carrier"
    try:
        lotline(network, "network", "up", "--base-port", str(free_base_port()))
        joined = ["init", "--ledger", "fabric", "--network", str(network)]
        members = [part for msp in SPEAKERS.values() for part in ("-o", msp)]
        lotline(capturing, *joined, *members, "--port", str(free_port()))
        lotline(reading, *joined, "-o", "CarrierMSP=Carrier", "--port", str(free_port()))
        lotline(reading, "up", "--no-ui", "--detach")
        url = answer(reading, "status")["services"]["api"]["url"]
        token = lotline(reading, "token", "create", "--role", "analyst").stdout.strip().splitlines()[-1]
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            yield Place(capturing, reading, client)
    finally:
        lotline(reading, "down")
        lotline(network, "network", "reset", "--yes")


def test_gs1s_documents(place: Place, shared_data: Path) -> None:
    """All 47 are taken, and every event is found by its hash at another organisation's API."""
    folder = shared_data / "epcis" / "gs1" / "JSON"
    said = answer(place.capturing, "capture", "-o", "SupplierMSP", str(folder))
    assert (said["accepted"], said["duplicate"], said["rejected"]) == (48, 8, 0)
    place.catch_up()
    hashes = {verdict["event"] for document in said["documents"] for verdict in document["verdicts"]}
    assert len(hashes) == 48
    found = {name: place.api.get(f"/events/{quote(name, safe='')}").status_code for name in hashes}
    assert set(found.values()) == {200}


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.faults)], ids=["slice", "whole"])
def test_the_scms_record(place: Place, record: Path, tmp_path: Path, whole: bool) -> None:
    """A slice of it; the whole, which takes minutes, with `make faults`."""
    file, rows = (record, 7779) if whole else _slice(record, tmp_path / "slice.csv")
    speakers = [part for pair in SPEAKERS.items() for part in pair]
    said = answer(place.capturing, "import", "scms", str(file), *speakers)
    assert (said["rows"], said["unusable"], said["refused"]) == (rows, [], [])
    assert {counts["rejected"] for counts in said["events"].values()} == {0}
    place.catch_up()
    _trace(place)
    _forecast(place)
    assert answer(place.capturing, "rebuild")["equal"] is True


def _slice(record: Path, target: Path) -> tuple[Path, int]:
    with gzip.open(record, "rt", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)[::EVERY]
        columns = reader.fieldnames or []
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows(rows)
    return target, len(rows)


def _trace(place: Place) -> None:
    """A lot's story, of which the organisation that asks has told nothing."""
    (lot,) = place.api.get("/things", params={"number": "L1"}).json()["items"]
    traced = place.api.get(f"/trace/{lot}").json()
    assert [(one["bizStep"], one["msp"]) for one in traced["events"]] == [
        ("commissioning", "SupplierMSP"),
        ("shipping", "SupplierMSP"),
        ("receiving", "RetailerMSP"),
    ]


def _forecast(place: Place) -> None:
    """From the ledger's history as it was known to this organisation, and answered by its API."""
    made = answer(place.reading, "forecast", "--as-of", "2013-01-01", "--max-series", "8")
    assert made["forecast"] > 0
    (run,) = [one for one in place.api.get("/forecasts/runs").json()["items"] if one["id"] == made["run_id"]]
    assert run["block"] == place.api.get("/health").json()["projector"]["checkpoint"]
    series = place.api.get("/forecasts/series", params={"perPage": 500}).json()["items"]
    assert len(series) == made["series"] + made["totals"]
    name = next(one["uniqueId"] for one in series if one["chosenModel"] is not None)
    forecast = place.api.get("/forecasts", params={"uniqueId": name}).json()["items"]
    assert forecast
    assert all(one["lo80"] <= one["yHat"] <= one["hi80"] for one in forecast)
