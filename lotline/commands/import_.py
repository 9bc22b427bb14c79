"""`lotline import`: data kept in other forms."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from instance.settings import Settings
from lotline.delivery import delivering
from lotline.errors import NEGATIVE, UsageError
from lotline.members import Port, instance_with
from lotline.output import Session, session
from lotline.scms.actors import Organisations
from lotline.scms.importer import Report, import_lines
from lotline.scms.lines import Line, Unusable, read_lines

app = typer.Typer(help="Bring in data kept in other forms.", no_args_is_help=True)
_SHOWN = 20
_NAMES = ("Vendors and manufacturers", "SCMS programme (PFSCM)", "Clients: consignees of the countries")


@app.callback()
def importing() -> None:
    """Bring in data kept in other forms."""


@app.command()
def scms(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The record as CSV, plain or gzip.")],
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Only what was known on that evening; the rest stays open.",
        ),
    ] = None,
    vendors: Annotated[str, typer.Option(metavar="MSP", help="Who speaks for vendors.")] = "VendorsMSP",
    programme: Annotated[str, typer.Option(metavar="MSP", help="… for the programme.")] = "ProgrammeMSP",
    clients: Annotated[str, typer.Option(metavar="MSP", help="… for the countries' consignees.")] = "ClientsMSP",
    port: Port = None,
) -> None:
    """Import USAID's SCMS Delivery History: real shipments of medicines, as lots handed over.

    A home without an instance gets one with the three organisations. Importing again changes nothing. What
    the record lacks is estimated or invented as docs/scms.md says, and marked so in every event.
    """
    here = session(context)
    organisations = Organisations(vendors, programme, clients)
    rows = _read(file)
    settings = instance_with(
        here,
        dict(zip(organisations.all, _NAMES, strict=True)),
        hint="Use another --home, or say who speaks: --vendors MSP --programme MSP --clients MSP.",
        port=port,
    )
    day = None if as_of is None else as_of.date()
    lines = [row for row in rows if isinstance(row, Line)]
    unusable = [row for row in rows if isinstance(row, Unusable)]
    report = asyncio.run(_import(here, settings, lines, organisations, day))
    _tell(here, report, unusable, len(rows), day)
    if unusable or report.refusals:
        raise typer.Exit(NEGATIVE)


def _read(file: Path) -> list[Line | Unusable]:
    if not file.is_file():
        raise UsageError(f"there is no file {file}", hint="Give the CSV of the SCMS Delivery History.")
    return list(read_lines(file))


async def _import(
    here: Session, settings: Settings, lines: list[Line], organisations: Organisations, day: date | None
) -> Report:
    async with delivering(settings) as delivery:
        with here.progress() as bars:
            task = bars.add_task("importing events", total=3 * len(lines))
            report = await import_lines(
                settings, delivery, lines, organisations, as_of=day,
                progress=lambda events: bars.advance(task, events),
            )  # fmt: skip
            bars.update(task, total=sum(counts.total for counts in report.steps.values()))
            await delivery.visible(delivery.handed_over)
    return report


def _tell(here: Session, report: Report, unusable: list[Unusable], rows: int, day: date | None) -> None:
    here.answer(
        {
            "rows": rows,
            "asOf": day,
            "lots": report.lines,
            "registeredParties": report.parties,
            "registeredPlaces": report.places,
            "events": {step: counts.as_dict() for step, counts in report.steps.items()},
            "unusable": [{"line": row.number, "id": row.id, "reason": row.reason} for row in unusable],
            "refused": report.refusals,
        }
    )
    here.text(f"{rows} rows read, {report.lines} lots" + (f", as known on {day}" if day else ""))
    here.text(f"{report.parties} parties and {report.places} places registered")
    here.table(
        "",
        ["events", "#accepted", "#already there", "#refused"],
        [(step, counts.accepted, counts.duplicate, counts.rejected) for step, counts in report.steps.items()],
    )
    _list(here, "rows that can't be used", [f"line {r.number} (ID {r.id}): {r.reason}" for r in unusable])
    _list(
        here,
        "events refused",
        [f"ID {r['id']}, {r['step']}: {r['code']} {r['reason']}" for r in report.refusals],
    )


def _list(here: Session, title: str, lines: list[Any]) -> None:
    if not lines:
        return
    here.text(f"{len(lines)} {title}:")
    for line in lines[:_SHOWN]:
        here.text(f"  {line}")
    if len(lines) > _SHOWN:
        here.text(f"  … and {len(lines) - _SHOWN} more: --json lists all")
