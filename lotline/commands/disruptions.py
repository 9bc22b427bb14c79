"""`lotline disruptions`: the warnings of the newest forecast run."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlmodel import Session as SqlSession

import readmodel
from api.foresight import list_disruptions, list_late_risks, newest_run
from instance.creation import load_settings
from lotline.errors import CommandError
from lotline.output import Session, session
from lotline.plain import camel, plain
from readmodel.forecast_tables import Disruption, LateRisk

app = typer.Typer()


@app.command("disruptions")
def disruptions_command(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Only of this kind, for example late_handoff.")] = None,
    severity: Annotated[str | None, typer.Option(help="Only of this severity.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many of each list.")] = 20,
) -> None:
    """Say what will run late or run out, why, and which events show it; from the newest forecast run."""
    here = session(context)
    engine = readmodel.open_engine(load_settings(here.home).readmodel_url)
    try:
        with SqlSession(engine) as connection:
            run = newest_run(connection)
            if run is None:
                raise CommandError("there is no forecast yet", hint="Run `lotline forecast` first.")
            wanted = {"kind": kind, "severity": severity}
            found, _ = list_disruptions(connection, wanted, limit, None)
            risks, _ = list_late_risks(connection, limit, None)
            here.answer(
                {
                    "run": run.id,
                    "createdAt": plain(run.created_at),
                    "disruptions": [_row(one) for one in found],
                    "lateRisks": [_row(one) for one in risks],
                }
            )
            if not here.json:
                _show(here, list(found), list(risks))
    finally:
        engine.dispose()


def _row(row: Disruption | LateRisk) -> dict[str, Any]:
    return {camel(name): plain(value) for name, value in row.model_dump().items() if name != "run_id"}


def _show(here: Session, found: list[Disruption], risks: list[LateRisk]) -> None:
    here.table(
        "disruptions",
        ["severity", "kind", "expected", "about", "what", "evidence"],
        [
            (one.severity, one.kind, _day(one.expected_at), one.subject, one.detail, _evidence(one.evidence))
            for one in found
        ],
    )
    here.text()
    here.table(
        "open handoffs most likely to come late",
        ["#probability", "promised", "handoff", "because"],
        [
            (
                f"{risk.probability:.0%}",
                _day(risk.promised_at),
                risk.handoff_id,
                "; ".join(map(_words, risk.reasons)),
            )
            for risk in risks
        ],
    )


def _evidence(events: list[str]) -> str:
    more = f" and {len(events) - 1} more" if len(events) > 1 else ""
    return f"{events[0]}{more}" if events else ""


def _words(reason: Any) -> str:
    if not isinstance(reason, dict):
        return str(reason)
    return ", ".join(f"{name} {value}" for name, value in reason.items())


def _day(moment: Any) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
