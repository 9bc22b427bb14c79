"""Any table by a mapping: rows become events, or words that name line, column and reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import openpyxl
import pytest
from hypothesis import given, settings

from sources.errors import SourceError, WrongFileError
from sources.tables import Mapping, Problem, Row, TableEvent, events_of, read_mapping, rows
from tests.effort import examples

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
GTIN, FARM, SHOP, PLANT = "9521000001213", "9521000002005", "9521000003002", "9521000002012"
SSCC = "095210000000000018"
COLUMNS = {
    name: name
    for name in ("time", "movement", "id", "product", "lot", "serial", "sscc", "quantity", "unit", "place", "sender", "consignee")
} | {"document": "document", "parent": "parent", "expiry": "expiry"}  # fmt: skip


def mapping(**more: Any) -> Mapping:
    return Mapping.model_validate(
        {
            "columns": COLUMNS,
            "movements": {
                "GI": "shipping",
                "GR": "receiving",
                "MK": "commissioning",
                "PK": "packing",
                "CO": "inspecting",
            },
            "places": {"P1": PLANT},
            "parties": {"F": FARM, "S": SHOP},
            "units": {"KG": "KGM", "ST": ""},
            **more,
        }
    )


def made(*cells: dict[str, str], by: Mapping | None = None) -> list[TableEvent | Problem]:
    default = {"time": "2026-03-01T10:00:00", "movement": "CO", "product": GTIN, "lot": "L1", "place": "P1"}
    return list(
        events_of((Row(n, {**default, "id": str(n), **one}) for n, one in enumerate(cells, 2)), by or mapping())
    )


def event(**cells: str) -> dict[str, Any]:
    (one,) = made(cells)
    assert isinstance(one, TableEvent), one
    return one.event.to_dict()


def problem(**cells: str) -> tuple[str, str]:
    (one,) = made(cells)
    assert isinstance(one, Problem), one
    return one.column, one.reason


def test_a_shipment_of_a_lot() -> None:
    said = event(movement="GI", quantity="-400", unit="KG", sender="F", consignee="S", document="80001")
    assert (said["bizStep"], said["action"], said["disposition"]) == ("shipping", "OBSERVE", "in_transit")
    assert said["quantityList"] == [{"epcClass": f"https://id.gs1.org/01/0{GTIN}/10/L1", "quantity": 400, "uom": "KGM"}]
    assert said["readPoint"] == {"id": f"https://id.gs1.org/414/{PLANT}"}
    assert said["sourceList"] == [{"type": "owning_party", "source": f"https://id.gs1.org/417/{FARM}"}]
    assert said["destinationList"] == [{"type": "owning_party", "destination": f"https://id.gs1.org/417/{SHOP}"}]
    assert said["bizTransactionList"][0]["bizTransaction"] == f"urn:epcglobal:cbv:bt:{FARM}:80001"


def test_both_sides_name_one_document() -> None:
    cells = {"quantity": "4", "sender": "F", "consignee": "S", "document": "D"}
    out, back = event(movement="GI", **cells), event(movement="GR", **cells)
    assert out["bizTransactionList"] == back["bizTransactionList"]


def test_items_units_and_packing() -> None:
    assert event(serial="S1")["epcList"] == [f"https://id.gs1.org/01/0{GTIN}/21/S1"]
    assert event(product="", sscc=SSCC)["epcList"] == [f"https://id.gs1.org/00/{SSCC}"]
    packed = event(movement="PK", parent=SSCC, quantity="3")
    assert (packed["type"], packed["parentID"]) == ("AggregationEvent", f"https://id.gs1.org/00/{SSCC}")
    assert packed["childQuantityList"][0]["quantity"] == 3
    assert event(movement="MK", expiry="2027-01-31")["ilmd"] == {"cbvmda:itemExpirationDate": "2027-01-31"}


def test_times_have_the_offset_of_their_zone() -> None:
    by = mapping(table={"timezone": "Europe/Berlin", "time_format": "%d.%m.%Y %H:%M"})
    summer, winter = made({"time": "01.07.2026 10:00"}, {"time": "01.01.2026 10:00"}, by=by)
    assert isinstance(summer, TableEvent)
    assert isinstance(winter, TableEvent)
    offsets = [(one.event.to_dict()["eventTime"][:16], one.event.event_time_zone_offset) for one in (summer, winter)]
    assert offsets == [("2026-07-01T08:00", "+02:00"), ("2026-01-01T09:00", "+01:00")]


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"movement": "XX"}, "movement", "'XX' is not in [movements]"),
        ({"movement": ""}, "movement", "is empty"),
        ({"time": "yesterday"}, "time", "no time of ISO 8601"),
        ({"product": "9521000001214"}, "product", "wrong check digit"),
        ({"product": "521000001213"}, "product", "wrong check digit"),
        ({"product": "52100000121"}, "product", "spreadsheets drop leading zeros"),
        ({"product": "", "lot": ""}, "product", "every other column that names goods"),
        ({"lot": "L" * 21}, "lot", "20"),
        ({"quantity": "many"}, "quantity", "'many' is no number"),
        ({"place": "P9"}, "place", "'P9' is not in the mapping"),
        ({"movement": "PK"}, "parent", "packing needs it"),
        ({"movement": "MK", "expiry": "soon"}, "expiry", "no date"),
    ],
)
def test_what_is_wrong_is_named_with_its_column(cells: dict[str, str], column: str, words: str) -> None:
    where, reason = problem(**cells)
    assert where == column
    assert words in reason


def test_rows_that_say_the_same_are_told() -> None:
    _, second = made({"id": ""}, {"id": ""})
    assert isinstance(second, Problem)
    assert second.reason.startswith("says the same as line 2")
    assert all(isinstance(one, TableEvent) for one in made({"id": "1"}, {"id": "2"}))


def test_decimal_commas() -> None:
    by = mapping(table={"decimal": ","})
    (one,) = made({"quantity": "1.250,5", "unit": "KG"}, by=by)
    assert isinstance(one, TableEvent)
    assert one.event.to_dict()["quantityList"][0]["quantity"] == 1250.5


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[columns]\ntime = 'a'\n", "columns.movement"),
        (
            "[columns]\ntime = 'a'\nmovement = 'b'\nproduct = 'c'\nprodukt = 'd'\n[movements]\n1 = 'shipping'\n",
            "produkt",
        ),
        ("[columns]\ntime = 'a'\nmovement = 'b'\n[movements]\n1 = 'shipping'\n", "product and sscc"),
        ("[table]\ntimezone = 'Mars'\n", "no time zone 'Mars'"),
        ("[columns", "no TOML"),
    ],
)
def test_a_mapping_that_is_wrong_is_told(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_mapping(write(tmp_path, "map.toml", content))


def test_a_step_that_the_vocabulary_does_not_have() -> None:
    with pytest.raises(SourceError, match="'sending' is no business step"):
        made({}, by=mapping(movements={"CO": "sending"}))


def test_a_missing_column_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no column 'movement'.*it has 'time', 'x'"):
        list(
            rows(
                write(tmp_path, "a.csv", "time;x\n1;2\n"),
                mapping(columns={"time": "time", "movement": "movement", "sscc": "x"}),
            )
        )


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(WrongFileError, match="is a PDF"):
        list(rows(tmp_path / "a.pdf", mapping()))
    (tmp_path / "b.csv").write_bytes(b"time;movement\n\xe4;1\n")
    with pytest.raises(SourceError, match="line 2: not utf-8"):
        list(rows(tmp_path / "b.csv", mapping()))
    (tmp_path / "c.xlsx").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(WrongFileError, match="no Excel workbook"):
        list(rows(tmp_path / "c.xlsx", mapping()))


def test_a_workbook_says_what_the_csv_says(tmp_path: Path) -> None:
    by = read_mapping(EXAMPLES / "movements.toml")
    book = openpyxl.Workbook()
    for line in (EXAMPLES / "movements.csv").read_text().splitlines():
        book.active.append(line.split(";"))
    book.save(tmp_path / "movements.xlsx")
    from_csv = [one.event.hash for one in events_of(rows(EXAMPLES / "movements.csv", by), by)]  # type: ignore[union-attr]
    assert [one.event.hash for one in events_of(rows(tmp_path / "movements.xlsx", by), by)] == from_csv  # type: ignore[union-attr]
    assert len(set(from_csv)) == 3


@settings(max_examples=examples(100))
@given(
    cells=st.dictionaries(
        st.sampled_from(sorted(COLUMNS)),
        st.text(max_size=30)
        | st.sampled_from([GTIN, SSCC, "GI", "GR", "PK", "F", "P1", "-1,5", "1e400", "NaN", "2026-03-01"]),
    )
)
def test_any_cells_are_used_or_refused(cells: dict[str, str]) -> None:
    (one,) = made(cells)
    assert isinstance(one, TableEvent | Problem)
