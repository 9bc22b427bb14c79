"""The record's file, read line by line: one `Line` per usable row, one `Unusable` per row that is not."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sources.errors import SourceError, WrongFileError
from sources.kinds import kind
from sources.scms.text import clean

FROM_RDC = "From RDC"
DIRECT_DROP = "Direct Drop"
COLUMNS = (
    "ID", "Project Code", "PO / SO #", "ASN/DN #", "Country", "Managed By", "Fulfill Via", "Vendor INCO Term",
    "Shipment Mode", "PQ First Sent to Client Date", "PO Sent to Vendor Date", "Scheduled Delivery Date",
    "Delivered to Client Date", "Delivery Recorded Date", "Product Group", "Sub Classification", "Vendor",
    "Item Description", "Molecule/Test Type", "Brand", "Dosage", "Dosage Form", "Unit of Measure (Per Pack)",
    "Line Item Quantity", "Line Item Value", "Manufacturing Site", "First Line Designation",
)  # fmt: skip
# The original publication writes dates in other forms than the copy with ISO dates.
_DATE_FORMS = ("%Y-%m-%d", "%d-%b-%y", "%m/%d/%y", "%m/%d/%Y")
_NOT_RECORDED = {"", "date not captured", "pre-pq process", "n/a - from rdc", "not applicable", "n/a"}
_WORD = re.compile(r"[A-Za-z0-9._-]{1,19}")
# Far above the real file (3 MB), far below what would hurt: a gzip bomb stops here.
_MAX_BYTES = 512 * 1024 * 1024
_MAX_QUANTITY = 10**12


@dataclass(frozen=True, slots=True)
class Line:
    """One shipment line. Text is repaired and trimmed; what the record does not say is None."""

    number: int
    id: str
    project: str
    order: str
    shipment: str
    country: str
    managed_by: str
    fulfil_via: str
    incoterm: str | None
    mode: str | None
    quoted: date | None
    ordered: date | None
    scheduled: date
    delivered: date | None
    recorded: date | None
    product_group: str
    sub_classification: str
    vendor: str
    description: str
    molecule: str
    brand: str
    dosage: str | None
    dosage_form: str
    units_per_pack: int
    quantity: int
    value: str | None
    site: str | None
    first_line: str

    @property
    def from_rdc(self) -> bool:
        """The programme shipped it from a distribution centre (else the vendor shipped it directly)."""
        return self.fulfil_via == FROM_RDC


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that can't become events: where it stands and why."""

    number: int
    id: str
    reason: str


class _RowError(ValueError):
    """Why a row can't be used."""


def read_lines(path: Path) -> Iterator[Line | Unusable]:
    """Rows of the CSV file (plain or gzip; UTF-8 or Windows-1252), in its order.

    Raises `WrongFileError` when this is no SCMS Delivery History. A second row with the same ID is unusable.
    """
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), restkey="", restval=None)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise WrongFileError(
            f"{path} is no SCMS Delivery History: it has no column {', '.join(map(repr, missing[:5]))}",
            hint="Expected the CSV of USAID's SCMS Delivery History Dataset with its original column names.",
        )
    seen: set[str] = set()
    try:
        for row in reader:
            line = usable(row, reader.line_num)
            if isinstance(line, Line) and line.id in seen:
                line = Unusable(line.number, line.id, "another row above has the same ID")
            seen.add(line.id)
            yield line
    except csv.Error as error:
        raise SourceError(f"{path}, line {reader.line_num}: {error}", hint="Is the file complete?") from error


def usable(row: Mapping[str, str | None], number: int) -> Line | Unusable:
    """The row as a `Line`, or why not. Pure."""
    try:
        return _line(row, number)
    except _RowError as error:
        return Unusable(number, clean(row.get("ID") or ""), str(error))


def _line(row: Mapping[str, str | None], number: int) -> Line:
    if "" in row or None in row.values():
        raise _RowError("it has more or fewer cells than the header")
    cells = {name: _cell(name, row[name] or "") for name in COLUMNS}
    via = cells["Fulfill Via"]
    if via not in (FROM_RDC, DIRECT_DROP):
        raise _RowError(f"Fulfill Via is {via!r}, neither {FROM_RDC!r} nor {DIRECT_DROP!r}")
    scheduled = _date(cells, "Scheduled Delivery Date")
    if scheduled is None:
        raise _RowError("Scheduled Delivery Date is missing, so there is no promise to keep")
    return Line(
        number=number,
        id=_word(cells, "ID"),
        project=_required(cells, "Project Code"),
        order=_required(cells, "PO / SO #"),
        shipment=_required(cells, "ASN/DN #"),
        country=_required(cells, "Country"),
        managed_by=cells["Managed By"],
        fulfil_via=via,
        incoterm=_optional(cells, "Vendor INCO Term"),
        mode=_optional(cells, "Shipment Mode"),
        quoted=_date(cells, "PQ First Sent to Client Date"),
        ordered=_date(cells, "PO Sent to Vendor Date"),
        scheduled=scheduled,
        delivered=_date(cells, "Delivered to Client Date"),
        recorded=_date(cells, "Delivery Recorded Date"),
        product_group=cells["Product Group"],
        sub_classification=cells["Sub Classification"],
        vendor=_required(cells, "Vendor"),
        description=_required(cells, "Item Description"),
        molecule=cells["Molecule/Test Type"],
        brand=cells["Brand"],
        dosage=_optional(cells, "Dosage"),
        dosage_form=cells["Dosage Form"],
        units_per_pack=_count(cells, "Unit of Measure (Per Pack)"),
        quantity=_count(cells, "Line Item Quantity"),
        value=_optional(cells, "Line Item Value"),
        site=_optional(cells, "Manufacturing Site"),
        first_line=cells["First Line Designation"],
    )


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(data)) as stream:
                data = stream.read(_MAX_BYTES + 1)
        except (OSError, EOFError) as error:
            raise SourceError(f"{path} can't be unpacked: {error}", hint="Is the file complete?") from error
    if len(data) > _MAX_BYTES:
        raise WrongFileError(f"{path} holds more than {_MAX_BYTES // 2**20} MB", hint="Split the file.")
    if found := kind(data[:512]):
        raise WrongFileError(f"{path} is {found}", hint="Give the record as CSV: a spreadsheet is saved as that.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _cell(name: str, text: str) -> str:
    cell = clean(text)
    if not cell.isprintable():
        raise _RowError(f"{name} holds control characters")
    if len(cell) > 500:
        raise _RowError(f"{name} is longer than 500 characters")
    return cell


def _required(cells: Mapping[str, str], name: str) -> str:
    if not cells[name]:
        raise _RowError(f"{name} is empty")
    return cells[name]


def _optional(cells: Mapping[str, str], name: str) -> str | None:
    return None if cells[name].lower() in _NOT_RECORDED else cells[name]


def _word(cells: Mapping[str, str], name: str) -> str:
    """A lot number holds at most 20 characters of GS1's set; one of them is ours."""
    if not _WORD.fullmatch(cells[name]):
        raise _RowError(f"{name} {cells[name]!r} can't be a lot number")
    return cells[name]


def _count(cells: Mapping[str, str], name: str) -> int:
    text = cells[name]
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:20]) <= _MAX_QUANTITY:
        raise _RowError(f"{name} {text!r} is no positive whole number")
    return int(text)


def _date(cells: Mapping[str, str], name: str) -> date | None:
    text = cells[name]
    if text.lower() in _NOT_RECORDED:
        return None
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise _RowError(f"{name} {text!r} is no date")
