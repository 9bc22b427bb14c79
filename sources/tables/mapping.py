"""The mapping file: which column says what, and what an ERP's codes mean.

A TOML file; docs/tables.md has an example and every key. What is misspelt is refused by name, not ignored.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from sources.errors import SourceError, WrongFileError

_NO_FILE = "Write one: docs/tables.md has an example to begin with."


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}; an example: Europe/Berlin") from error
    return name


class TableForm(_Section):
    """How the file is written."""

    delimiter: str = Field("", max_length=1)
    """Of a CSV; empty: found out from its first line."""
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"
    sheet: str = ""
    """Of a workbook; empty: the first."""
    header: int = Field(1, ge=1)
    """The line with the columns' names."""
    decimal: Literal[".", ","] = "."
    time_format: str = ""
    """As in ``strptime``; empty: ISO 8601."""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Of times that do not say theirs."""


class Columns(_Section):
    """Names of columns. What has no column is not said."""

    time: str
    movement: str
    id: str = ""
    """What tells rows apart that say the same otherwise."""
    product: str = ""
    lot: str = ""
    serial: str = ""
    sscc: str = ""
    quantity: str = ""
    unit: str = ""
    place: str = ""
    sender: str = ""
    consignee: str = ""
    document: str = ""
    parent: str = ""
    """The pallet or case (SSCC) of a packing."""
    expiry: str = ""

    def named(self) -> dict[str, str]:
        """Fields that have a column."""
        return {field: column for field, column in self if column}


class Mapping(_Section):
    """A mapping file."""

    columns: Columns
    movements: dict[str, str] = Field(min_length=1)
    """An ERP's code to a business step of the CBV."""
    table: TableForm = TableForm()
    places: dict[str, str] = {}
    """An ERP's code to a GLN; what is not listed has to be one."""
    parties: dict[str, str] = {}
    units: dict[str, str] = {}
    """An ERP's unit to a code of UN/ECE Recommendation 20; empty: pieces."""
    products: dict[str, str] = {}

    @model_validator(mode="after")
    def _says_enough(self) -> Mapping:
        if not (self.columns.product or self.columns.sscc):
            raise ValueError("columns: one of product and sscc is needed, or nobody knows what moved")
        return self


def read_mapping(path: Path) -> Mapping:
    """Raises `SourceError` naming what is wrong and where."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongFileError(f"there is no file {path}", hint=_NO_FILE) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongFileError(f"{path} is no TOML: {error}", hint=_NO_FILE) from error
    try:
        return Mapping.model_validate(said)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise SourceError(f"{path}:\n  " + "\n  ".join(lines), hint="docs/tables.md has every key.") from error
