"""A slice of the real record on a real ledger."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from instance.creation import load_settings
from lotline.lookup import reading
from readmodel.queries.handoffs import HandoffFilter, handoffs
from tests.integration.lotline.run import answer, lotline

ROWS = 150


@pytest.fixture(scope="module")
def record(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fiftieth row of the record, and two that can't be used."""
    source = shared_data / "forecasting" / "scms_delivery_history_to_2013.csv.gz"
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)[::50][:ROWS]
        columns = reader.fieldnames or []
    rows += [
        rows[0] | {"ID": "900001", "Line Item Quantity": "none"},
        rows[0] | {"ID": "900002", "Vendor": ""},
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("scms") / "slice.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "scms"


@pytest.fixture(scope="module")
def early(home: Path, record: Path) -> dict[str, Any]:
    """The import as of a day in the middle; makes the instance."""
    found: dict[str, Any] = answer(home, "import", "scms", str(record), "--as-of", "2011-06-15", code=1)
    return found


@pytest.fixture(scope="module")
def whole(home: Path, record: Path, early: dict[str, Any]) -> dict[str, Any]:
    """The import of everything, after the early one."""
    found: dict[str, Any] = answer(home, "import", "scms", str(record), code=1)
    return found


def test_what_was_not_known_yet_is_left_open(home: Path, early: dict[str, Any]) -> None:
    events = early["events"]
    assert 0 < events["acceptance"]["accepted"] <= events["release"]["accepted"] < ROWS
    assert events["release"]["accepted"] == early["lots"]
    assert early["refused"] == []


def test_rows_that_cannot_be_used_are_listed_with_line_and_reason(early: dict[str, Any]) -> None:
    assert [(row["line"], row["id"]) for row in early["unusable"]] == [
        (ROWS + 2, "900001"),
        (ROWS + 3, "900002"),
    ]
    assert "positive whole number" in early["unusable"][0]["reason"]


def test_the_rest_is_added_and_nothing_twice(early: dict[str, Any], whole: dict[str, Any]) -> None:
    for step, counts in early["events"].items():
        assert whole["events"][step]["duplicate"] == counts["accepted"]
        assert whole["events"][step]["accepted"] == ROWS - counts["accepted"]
        assert whole["events"][step]["rejected"] == 0
    assert whole["lots"] == ROWS


def test_importing_again_changes_nothing(home: Path, record: Path, whole: dict[str, Any]) -> None:
    again = answer(home, "import", "scms", str(record), code=1)
    assert {step: counts["accepted"] for step, counts in again["events"].items()} == {
        "commissioning": 0, "release": 0, "acceptance": 0,
    }  # fmt: skip
    assert again["registeredParties"] == again["registeredPlaces"] == 0


def test_every_handoff_is_complete_and_late_ones_are_late(home: Path, record: Path, whole: dict[str, Any]) -> None:
    with record.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:ROWS]
    late = {row["ID"] for row in rows if row["Delivered to Client Date"] > row["Scheduled Delivery Date"]}
    with reading(load_settings(home)) as connection:
        found = handoffs(connection, HandoffFilter(), per_page=1000).items
    assert len(found) == ROWS
    assert {one.status for one in found} == {"complete"}
    assert all(one.promised_at and one.accepted_at for one in found)
    came_late = {
        one.item.rsplit("/L", 1)[1]
        for one in found
        if one.accepted_at and one.promised_at and one.accepted_at > one.promised_at
    }
    assert came_late == late


def test_nothing_is_short_or_out_of_custody(home: Path, whole: dict[str, Any]) -> None:
    from readmodel.queries.exceptions import exceptions

    with reading(load_settings(home)) as connection:
        assert exceptions(connection, status="open").items == []


def test_a_lot_is_traced_by_its_number_and_has_arrived_whole(home: Path, record: Path, whole: dict[str, Any]) -> None:
    with record.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    number = f"L{row['ID']}"
    found = answer(home, "trace", number)
    assert [event["bizStep"] for event in found["events"]] == ["commissioning", "shipping", "receiving"]
    assert found["events"][2]["msp"] == "ClientsMSP"
    thing = answer(home, "thing", number)
    (balance,) = [one for one in thing["balances"] if float(one["quantity"])]
    assert float(balance["quantity"]) == float(row["Line Item Quantity"])
    people = lotline(home, "thing", number).stdout
    assert "SCMS consignees in Côte d'Ivoire" in people


def test_an_instance_of_others_is_refused_with_a_way_out(tmp_path: Path, record: Path) -> None:
    lotline(tmp_path / "farm", "init", "-o", "FarmMSP")
    failed = lotline(tmp_path / "farm", "import", "scms", str(record), code=2)
    assert "--vendors" in failed.stderr
