"""A table's rows, from CSV or a workbook."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sources.errors import SourceError, WrongFileError
from sources.kinds import kind
from sources.tables.mapping import Mapping, TableForm

_MAX_BYTES = 512 * 1024 * 1024
_MAX_CELL = 10_000
_DELIMITERS = ",;\t|"
_WORKBOOK = b"PK\x03\x04"
Cells = tuple[int, Sequence[Any]]
"""A line's number and what stands in it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: its number as an editor or a spreadsheet shows it, and trimmed texts by the mapping's fields."""

    number: int
    cells: dict[str, str]


def rows(path: Path, mapping: Mapping) -> Iterator[Row]:
    """All rows that are not empty. Raises `SourceError` where the file as a whole is wrong, a missing column for example."""
    try:
        with path.open("rb") as file:
            start = file.read(512)
        if path.stat().st_size > _MAX_BYTES:
            raise WrongFileError(f"{path} has more than {_MAX_BYTES // 2**20} MB", hint="Split the file.")
    except OSError as error:
        raise WrongFileError(f"{path} can't be read: {error.strerror}", hint="Check the path.") from error
    lines = _workbook(path, mapping.table) if start.startswith(_WORKBOOK) else _csv(path, start, mapping.table)
    return _named(path, lines, mapping)


def _named(path: Path, lines: Iterator[Cells], mapping: Mapping) -> Iterator[Row]:
    _, header = next(islice(lines, mapping.table.header - 1, None), (0, ()))
    names = [_text(cell) for cell in header]
    wanted = mapping.columns.named()
    missing = [column for column in wanted.values() if column not in names]
    if missing:
        there = ", ".join(repr(name) for name in names[:30] if name) or "none"
        raise SourceError(
            f"{path} has no column {', '.join(map(repr, missing))} in line {mapping.table.header}; it has {there}",
            hint="Correct [columns], or [table] header and delimiter, in the mapping.",
        )
    doubled = [column for column in wanted.values() if names.count(column) > 1]
    if doubled:
        raise SourceError(f"{path} has several columns {doubled[0]!r}", hint="Give them names of their own.")
    places = {field: names.index(column) for field, column in wanted.items()}
    for number, cells in lines:
        texts = {field: _text(cells[at]) if at < len(cells) else "" for field, at in places.items()}
        if any(texts.values()):
            yield Row(number, texts)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # spreadsheets keep whole numbers as floats
    return str(value).strip()


def _csv(path: Path, start: bytes, form: TableForm) -> Iterator[Cells]:
    if found := kind(start):
        raise WrongFileError(f"{path} is {found}", hint="Give a CSV or an Excel workbook (.xlsx).")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig" if form.encoding == "utf-8" else form.encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError(
            f"{path}, line {line}: not {form.encoding}", hint='Say `encoding = "cp1252"` under [table] of the mapping.'
        ) from error
    delimiter = form.delimiter or _delimiter(text.splitlines()[:1])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    csv.field_size_limit(_MAX_CELL)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise SourceError(f"{path}, line {reader.line_num}: {error}", hint="Is the file complete?") from error


def _delimiter(lines: Iterable[str]) -> str:
    first = next(iter(lines), "")
    return max(_DELIMITERS, key=first.count)


def _workbook(path: Path, form: TableForm) -> Iterator[Cells]:
    import openpyxl  # loaded by those who need it

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise WrongFileError(f"{path} is no Excel workbook: {error}", hint="Save it as .xlsx or CSV.") from error
    try:
        if form.sheet and form.sheet not in book.sheetnames:
            raise SourceError(f"{path} has no sheet {form.sheet!r}; it has {', '.join(book.sheetnames)}")
        sheet = book[form.sheet] if form.sheet else book.worksheets[0]
        yield from enumerate(sheet.iter_rows(values_only=True), 1)
    finally:
        book.close()
