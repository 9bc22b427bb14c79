"""`lotline import`: data kept in other forms."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from epcis import Event
from instance.creation import load_settings
from instance.settings import Settings
from lotline.delivery import delivering
from lotline.errors import NEGATIVE, UsageError
from lotline.members import Port, instance_with
from lotline.output import Session, session
from lotline.scms_importing import Report, import_lines
from lotline.table_importing import Imported, import_events
from relay.jobs import OnError
from sources.scms.actors import Organisations
from sources.scms.lines import Line, Unusable, read_lines
from sources.tables import Problem, TableEvent, events_of, read_mapping, rows

app = typer.Typer(help="Bring in data kept in other forms.", no_args_is_help=True)
_SHOWN = 20
_PREVIEW = 5
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


@app.command()
def table(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV or an Excel workbook: one movement a line.")],
    map_: Annotated[Path, typer.Option("--map", metavar="MAP", help="The mapping, in TOML: docs/tables.md.")],
    organisation: Annotated[
        str | None, typer.Option("--organisation", "-o", metavar="MSP", help="Who reports (default: the first).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be captured.")] = False,
    on_error: Annotated[
        OnError, typer.Option(help="When a line cannot be used: take nothing of the file, or the other lines.")
    ] = "rollback",
) -> None:
    """Import goods movements from any table, an ERP's export for example, by a mapping of some twenty lines.

    Lines that cannot be used are named with column and reason, and nothing is captured unless --on-error proceed. Importing again
    changes nothing: what is on the ledger already is not taken twice.
    """
    here = session(context)
    mapping = read_mapping(map_)
    answers = list(events_of(rows(file, mapping), mapping))
    good = [one for one in answers if isinstance(one, TableEvent)]
    problems = [one for one in answers if isinstance(one, Problem)]
    if dry_run or (problems and on_error == "rollback"):
        _tell_table(here, len(answers), good, problems, None)
        raise typer.Exit(NEGATIVE if problems else 0)
    settings = load_settings(here.home)
    done = asyncio.run(_import_table(here, settings, settings.msp_id(organisation), good))
    _tell_table(here, len(answers), good, problems, done)
    if problems or done.refusals:
        raise typer.Exit(NEGATIVE)


async def _import_table(here: Session, settings: Settings, msp_id: str, events: list[TableEvent]) -> Imported:
    async with delivering(settings) as delivery:
        with here.progress() as bars:
            task = bars.add_task("importing events", total=len(events))
            done = await import_events(delivery, msp_id, events, lambda count: bars.advance(task, count))
            await delivery.visible(delivery.handed_over)
    return done


def _tell_table(
    here: Session, count: int, good: list[TableEvent], problems: list[Problem], done: Imported | None
) -> None:
    here.answer(
        {
            "rows": count,
            "usable": len(good),
            "captured": None if done is None else done.counts.as_dict(),
            "unusable": [{"line": one.number, "column": one.column, "reason": one.reason} for one in problems],
            "refused": [] if done is None else [asdict(one) for one in done.refusals],
            "preview": [one.event.to_dict() for one in good[:_PREVIEW]] if done is None else [],
        }
    )
    here.text(f"{count} rows read, {len(good)} of them can be used")
    _list(
        here,
        "rows that can't be used",
        [f"line {one.number}{f', {one.column}' if one.column else ''}: {one.reason}" for one in problems],
    )
    if done is None:
        here.text("nothing was captured")
        preview = [(one.number, one.event.biz_step, one.event.event_time, ", ".join(_named(one.event))) for one in good]
        here.table(f"the first of {len(good)}", ["#line", "step", "when (UTC)", "what"], preview[:_PREVIEW])
        return
    counts = done.counts
    here.text(f"{counts.accepted} accepted, {counts.duplicate} already there, {counts.rejected} refused")
    _list(here, "events refused", [f"line {one.number}: {one.code} {one.reason}" for one in done.refusals])


def _named(event: Event) -> list[str]:
    return [*event.instances, *event.classes]


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
