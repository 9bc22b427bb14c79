"""From a row to an EPCIS event, or to words that say what is wrong with which column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from epcis import Event, InvalidDocument, check, parse_event
from epcis.cbv import BIZ_STEPS
from epcis.identifiers import InvalidIdentifier, gln, gtin, lot, pgln, sgtin, sscc
from sources.errors import SourceError
from sources.tables.mapping import Mapping
from sources.tables.reading import Row

_ACTIONS = {"commissioning": "ADD", "destroying": "DELETE", "decommissioning": "DELETE"}
_PACKING = {"packing": "ADD", "unpacking": "DELETE"}
_HANDOVERS = frozenset({"shipping", "receiving", "accepting", "void_shipping"})
_DISPOSITIONS = {
    "commissioning": "active",
    "shipping": "in_transit",
    "receiving": "in_progress",
    "destroying": "destroyed",
}
_ZEROS = "; spreadsheets drop leading zeros: keep the column as text"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be used."""

    number: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class TableEvent:
    """An event and the row that it was made of."""

    number: int
    event: Event


def events_of(rows: Iterable[Row], mapping: Mapping) -> Iterator[TableEvent | Problem]:
    """One answer a row. Rows that say the same, to the second, are told as one: which column tells them apart is for the mapping."""
    for code, step in mapping.movements.items():
        if step not in BIZ_STEPS.words:
            known = ", ".join(sorted(BIZ_STEPS.words))
            raise SourceError(f"movements.{code}: {step!r} is no business step of the CBV", hint=f"These are: {known}")
    seen: dict[str, int] = {}
    for row in rows:
        made = _Maker(row, mapping).made()
        if isinstance(made, TableEvent):
            first = seen.setdefault(made.event.hash, row.number)
            if first != row.number:
                reason = f"says the same as line {first}: name the column that tells them apart as `id` in [columns]"
                made = Problem(row.number, "", reason)
        yield made


class _CellError(Exception):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


class _Maker:
    def __init__(self, row: Row, mapping: Mapping) -> None:
        self._row, self._mapping = row, mapping
        self._columns = mapping.columns.named()

    def made(self) -> TableEvent | Problem:
        """The row's event."""
        number = self._row.number
        try:
            said = parse_event(self._event())
        except _CellError as wrong:
            return Problem(number, wrong.column, wrong.reason)
        except InvalidDocument as error:
            return Problem(number, "", "; ".join(f"{one.field}: {one.message}" for one in error.problems[:3]))
        errors = [one for one in check(said, 0) if one.severity == "error"]
        if errors:
            return Problem(number, "", "; ".join(f"{one.field}: {one.message}" for one in errors[:3]))
        return TableEvent(number, said)

    def _event(self) -> dict[str, Any]:
        step = self._step()
        event: dict[str, Any] = {**self._when(), "bizStep": step}
        if step in _DISPOSITIONS:
            event["disposition"] = _DISPOSITIONS[step]
        event |= self._packing(step) if step in _PACKING else self._object(step)
        if place := self._known("place", self._mapping.places, gln):
            event["readPoint"] = {"id": place}
            if step != "shipping":
                event["bizLocation"] = {"id": place}
        event |= self._between(step)
        if record := self._cell("id"):
            event["lotline:recordId"] = record
        return event

    # --- cells

    def _cell(self, field: str) -> str:
        return self._row.cells.get(field, "")

    def _wrong(self, field: str, reason: str) -> _CellError:
        return _CellError(self._columns.get(field, field), reason)

    def _read(self, field: str, read: Callable[[], str]) -> str:
        try:
            return read()
        except InvalidIdentifier as error:
            short = self._cell(field).isdecimal() and "digits" in str(error)
            raise self._wrong(field, f"{error}{_ZEROS if short else ''}") from error

    def _known(self, field: str, codes: dict[str, str], build: Callable[[str], str]) -> str:
        """An identifier by the mapping's code, or by its own digits."""
        said = self._cell(field)
        if not said:
            return ""
        digits = codes.get(said, said)
        if not digits.isdecimal():
            raise self._wrong(field, f"{said!r} is not in the mapping, and no number of GS1")
        return self._read(field, lambda: build(digits))

    def _step(self) -> str:
        code = self._cell("movement")
        if code not in self._mapping.movements:
            raise self._wrong("movement", f"{code!r} is not in [movements]" if code else "is empty")
        return self._mapping.movements[code]

    def _when(self) -> dict[str, str]:
        said, form = self._cell("time"), self._mapping.table
        try:
            moment = datetime.strptime(said, form.time_format) if form.time_format else datetime.fromisoformat(said)
        except ValueError:
            wanted = f"written like {form.time_format}" if form.time_format else "of ISO 8601"
            raise self._wrong("time", f"{said!r} is no time {wanted}" if said else "is empty") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(form.timezone))
        offset = moment.strftime("%z")
        utc = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"eventTime": utc, "eventTimeZoneOffset": f"{offset[:3]}:{offset[3:5]}"}

    # --- goods

    def _goods(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Instances, and classes with quantities."""
        product = self._mapping.products.get(self._cell("product"), self._cell("product"))
        unit = self._cell("sscc")
        if not product:
            if not unit:
                raise self._wrong("product", "is empty, and so is every other column that names goods")
            return [self._read("sscc", lambda: sscc(unit))], []
        if serial := self._cell("serial"):
            self._read("product", lambda: gtin(product))
            return [self._read("serial", lambda: sgtin(product, serial))], []
        self._read("product", lambda: gtin(product))
        batch = self._cell("lot")
        named = self._read("lot", lambda: lot(product, batch)) if batch else gtin(product)
        return [], [{"epcClass": named, **self._quantity()}]

    def _quantity(self) -> dict[str, Any]:
        said, unit = self._cell("quantity"), self._cell("unit")
        if not said:
            return {}
        plain = said.replace(" ", "").replace("\u00a0", "")
        if self._mapping.table.decimal == ",":
            plain = plain.replace(".", "").replace(",", ".")
        try:
            amount = abs(Decimal(plain))  # ERPs write what goes out as less than nothing; the step says so here
        except InvalidOperation:
            raise self._wrong("quantity", f"{said!r} is no number") from None
        code = self._mapping.units.get(unit, unit)
        return {"quantity": _number(amount), **({"uom": code} if code else {})}

    def _object(self, step: str) -> dict[str, Any]:
        things, quantities = self._goods()
        event: dict[str, Any] = {"type": "ObjectEvent", "action": _ACTIONS.get(step, "OBSERVE")}
        if things:
            event["epcList"] = things
        if quantities:
            event["quantityList"] = quantities
        if step == "commissioning" and self._cell("expiry"):
            event["ilmd"] = {"cbvmda:itemExpirationDate": self._expiry()}
        return event

    def _expiry(self) -> str:
        said, form = self._cell("expiry"), self._mapping.table
        for read in (date.fromisoformat, lambda text: datetime.strptime(text, form.time_format.split()[0]).date()):
            try:
                return read(said[:10]).isoformat()
            except (ValueError, IndexError):
                continue
        raise self._wrong("expiry", f"{said!r} is no date")

    def _packing(self, step: str) -> dict[str, Any]:
        parent = self._cell("parent")
        if not parent:
            raise self._wrong("parent", f"is empty, and {step} needs it")
        things, quantities = self._goods()
        event: dict[str, Any] = {"type": "AggregationEvent", "action": _PACKING[step]}
        event["parentID"] = self._read("parent", lambda: sscc(parent))
        if things:
            event["childEPCs"] = things
        if quantities:
            event["childQuantityList"] = quantities
        return event

    def _between(self, step: str) -> dict[str, Any]:
        if step not in _HANDOVERS:
            return {}
        event: dict[str, Any] = {}
        sender = self._known("sender", self._mapping.parties, pgln)
        consignee = self._known("consignee", self._mapping.parties, pgln)
        if sender:
            event["sourceList"] = [{"type": "owning_party", "source": sender}]
        if consignee:
            event["destinationList"] = [{"type": "owning_party", "destination": consignee}]
        if document := self._cell("document"):
            owner = sender.rpartition("/")[2] or "0"
            uri = f"urn:epcglobal:cbv:bt:{owner}:{document}"
            event["bizTransactionList"] = [{"type": "desadv", "bizTransaction": uri}]
        return event


def _number(amount: Decimal) -> int | float:
    """As JSON has it; the contract reads decimals from its text."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
