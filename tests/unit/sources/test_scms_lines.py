"""Rows become lines, or say why not."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.errors import SourceError, WrongFileError
from sources.scms.lines import COLUMNS, Line, Unusable, read_lines, usable
from sources.scms.text import clean, repair_mojibake
from tests.unit.sources.rows import RDC, ROW, line

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("damaged", "whole"),
    [
        ("CÃ´te d'Ivoire", "Côte d'Ivoire"),
        ("GrÃ\x83Â¸nland", "Grønland"),
        ("Côte d'Ivoire", "Côte d'Ivoire"),
        ("Nigeria", "Nigeria"),
        ("Ã", "Ã"),
        ("日本", "日本"),
    ],
)
def test_damage_is_repaired_and_nothing_else(damaged: str, whole: str) -> None:
    assert repair_mojibake(damaged) == whole


@given(st.text(st.characters(min_codepoint=0xC0, max_codepoint=0xFF), min_size=1))
def test_one_round_of_damage_to_latin_text_is_undone(text: str) -> None:
    damaged = text.encode().decode("latin-1")
    assert repair_mojibake(damaged) == repair_mojibake(text)


def test_white_space_is_trimmed_and_joined() -> None:
    assert clean("  CO.,LTD.  (KHB)\t") == "CO.,LTD. (KHB)"


def test_a_row_keeps_what_the_record_says() -> None:
    made = line()
    assert made.country == "Côte d'Ivoire"
    assert made.scheduled == made.delivered == date(2006, 6, 2)
    assert (made.quantity, made.units_per_pack) == (19, 30)
    assert not made.from_rdc


def test_what_was_not_recorded_is_none() -> None:
    made = line(RDC | {"Shipment Mode": "", "Manufacturing Site": "Not Applicable"})
    assert (made.ordered, made.quoted, made.mode, made.incoterm, made.dosage, made.site) == (None,) * 6


@pytest.mark.parametrize("text", ["2006-06-02", "2-Jun-06", "6/2/06", "06/02/2006"])
def test_dates_in_every_form_that_was_published(text: str) -> None:
    assert line({"Scheduled Delivery Date": text}).scheduled == date(2006, 6, 2)


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("Line Item Quantity", "0", "positive whole number"),
        ("Line Item Quantity", "-3", "positive whole number"),
        ("Line Item Quantity", "1.5", "positive whole number"),
        ("Line Item Quantity", "²", "positive whole number"),
        ("Line Item Quantity", "9" * 5000, "longer than"),
        ("Scheduled Delivery Date", "", "no promise"),
        ("Scheduled Delivery Date", "31 June", "no date"),
        ("Fulfill Via", "By hand", "neither"),
        ("Country", " ", "Country is empty"),
        ("Vendor", "a\x00b", "control characters"),
        ("ID", "1/2", "lot number"),
        ("ID", "", "lot number"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(column: str, value: str, word: str) -> None:
    made = usable(ROW | {column: value}, 7)
    assert isinstance(made, Unusable)
    assert made.number == 7
    assert word in made.reason


@given(st.dictionaries(st.sampled_from(COLUMNS), TEXT))
def test_no_cell_value_breaks_the_reader(changes: dict[str, str]) -> None:
    made = usable(ROW | changes, 2)
    assert isinstance(made, Line | Unusable)


def test_short_and_long_rows_are_unusable() -> None:
    assert isinstance(usable(ROW | {"Vendor": None}, 2), Unusable)
    assert isinstance(usable(ROW | {"": ["too", "many"]}, 2), Unusable)  # type: ignore[dict-item]


def _write(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(ROW))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_the_file_is_read_in_the_encodings_it_was_published_in(tmp_path: Path, encoding: str) -> None:
    path = _write(tmp_path / "scms.csv", [ROW | {"Country": "Côte d'Ivoire"}], encoding)
    (made,) = read_lines(path)
    assert isinstance(made, Line)
    assert made.country == "Côte d'Ivoire"


def test_a_gzip_file_is_unpacked_and_a_cut_one_refused(tmp_path: Path) -> None:
    plain = _write(tmp_path / "scms.csv", [ROW]).read_bytes()
    packed = tmp_path / "scms.csv.gz"
    packed.write_bytes(gzip.compress(plain))
    assert len(list(read_lines(packed))) == 1
    packed.write_bytes(gzip.compress(plain)[:-20])
    with pytest.raises(SourceError, match="unpacked"):
        list(read_lines(packed))


def test_a_repeated_id_is_used_once(tmp_path: Path) -> None:
    first, second = read_lines(_write(tmp_path / "scms.csv", [ROW, ROW]))
    assert isinstance(first, Line)
    assert isinstance(second, Unusable)
    assert second.number == 3


def test_another_file_is_refused_with_the_columns_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("ID,Name\n1,x\n")
    with pytest.raises(WrongFileError, match="Project Code"):
        list(read_lines(path))
