"""`lotline status`: what runs, what the ledger holds, what waits."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import typer
from sqlalchemy.exc import SQLAlchemyError

import readmodel
from instance.certificates import UNREADABLE, ending, ends
from instance.creation import load_settings
from instance.postgres import PostgresError
from instance.settings import CONFIG_FILE, Settings
from ledger.embedded.store import Store, file_errors
from ledger.readonly import is_read_only
from lotline import services
from lotline.output import session
from lotline.plain import camel
from lotline.supervisor import is_up, running
from readmodel.engine import DATABASE_AWAY, said
from readmodel.following import ChainMismatchError, LedgerBehindError
from readmodel.projector import Projector
from readmodel.queries.quarantine import count_quarantined, quarantined
from relay.jobs import depth, open_inbox

_LATEST = 5

app = typer.Typer()


@app.command()
def status(context: typer.Context) -> None:
    """Say what runs and what the ledger holds. Exit code 0 whether or not the instance is up."""
    here = session(context)
    settings = load_settings(here.home)
    found = _status(settings)
    here.answer(found)
    here.text(f"home           {found['home']}")
    here.text(f"organisations  {', '.join(found['organisations'])}")
    here.text(f"up             {'yes' if found['up'] else 'no'}")
    for name, entry in found["services"].items():
        restarts = f", restarted {entry['restarts']} times" if entry["restarts"] else ""
        here.text(f"  {name:<12} process {entry['pid']}{restarts}  {entry['url'] or ''}")
    model = found["readModel"]
    if found["ledger"]["problem"]:
        here.text(f"ledger         {found['ledger']['problem']}")
    here.text(f"read model     {model['problem'] or 'up to block ' + str(model['block'])}")
    for one in model["latest"]:
        here.text(f"  set aside    {one['kind']} in block {one['block']}: {one['reason']}")
    if model["quarantined"]:
        here.text(f"  {model['quarantined']} records on the ledger cannot be read; the rest of it is shown")
    inbox = found["inbox"]
    here.text(
        f"waiting        {inbox['problem'] or str(inbox['events']) + ' events in ' + str(inbox['jobs']) + ' jobs'}"
    )
    if inbox.get("failed"):
        here.text(f"failed         {inbox['failed']} jobs, {inbox['alarms']} not acknowledged: `lotline inbox list`")
    for one in found["certificates"]["ending"]:
        here.text(f"certificate    {one['identity']} of {one['mspId']} {_when(one['notAfter'])}")
    if found["readOnly"]:
        here.text("this home can only be read")


def _status(settings: Settings) -> dict[str, Any]:
    up = is_up(settings.run_dir)
    heartbeat = services.beating(settings)
    height, not_of_it = _ledger(settings)
    return {
        "home": str(settings.home),
        "organisations": [organisation.msp_id for organisation in settings.ledger.organisations],
        "up": up,
        "services": running(settings.run_dir).get("services", {}) if up else {},
        "ledger": {"height": height if heartbeat is None else heartbeat.height, "problem": not_of_it},
        "readModel": _read_model(settings),
        "inbox": _waiting(settings),
        "certificates": _certificates(settings),
        "readOnly": is_read_only(settings.home / CONFIG_FILE),
    }


def _ledger(settings: Settings) -> tuple[int | None, str | None]:
    """The height of a ledger that is in the home, and what is wrong between it and the read model; both None if unknown."""
    file = settings.ledger_dir / "ledger.db"
    if settings.ledger.kind != "embedded" or not file.exists():
        return None, None
    with file_errors(), closing(Store(file, read_only=True)) as store:
        height = store.height()
        engine = readmodel.open_engine(settings.readmodel_url)
        try:
            head = Projector(engine).checkpoint()
        except SQLAlchemyError:  # told elsewhere
            return height, None
        finally:
            engine.dispose()
        if head is None:
            return height, None
        if head.number >= height:
            return height, LedgerBehindError.words
        same = store.header_hash(head.number).hex() == head.header_hash
        return height, None if same else ChainMismatchError.words


def _waiting(settings: Settings) -> dict[str, Any]:
    try:
        with closing(open_inbox(settings.inbox_place)) as inbox:
            return {**asdict(depth(inbox)), "problem": None}
    except (
        sqlite3.OperationalError,
        PostgresError,
    ) as error:  # of an earlier version and not to be changed, or not there
        return {"jobs": None, "events": None, "oldest": None, "problem": f"the inbox can't be read: {error}"}


def _certificates(settings: Settings) -> dict[str, Any]:
    """When the first certificate ends, and which have ended or soon will."""
    found = ends(settings)
    soon = ending(settings, datetime.now(UTC))
    return {
        "firstEnd": found[0].not_after if found else None,
        "ending": [{"mspId": one.msp_id, "identity": one.identity, "notAfter": one.not_after} for one in soon],
    }


def _when(end: datetime) -> str:
    if end == UNREADABLE:
        return "can't be read"
    left = end - datetime.now(UTC)
    return (
        f"ended {end:%Y-%m-%d %H:%M} UTC"
        if left < timedelta(0)
        else f"ends {end:%Y-%m-%d %H:%M} UTC, in {left.days} days"
    )


def _read_model(settings: Settings) -> dict[str, Any]:
    engine = readmodel.open_engine(settings.readmodel_url)
    found: dict[str, Any] = {"block": None, "problem": None, "quarantined": 0, "latest": []}
    try:
        checkpoint = Projector(engine).checkpoint()
        if readmodel.is_current(engine):
            found["quarantined"] = count_quarantined(engine)
            with engine.connect() as connection:
                latest = quarantined(connection, per_page=_LATEST).items
            found["latest"] = [{camel(name): value for name, value in asdict(one).items()} for one in latest]
        else:
            found["problem"] = "made by another version: the next `lotline up` makes it anew"
    except DATABASE_AWAY as error:
        return {**found, "problem": f"its database is away: {said(error)}"}
    finally:
        engine.dispose()
    return {**found, "block": None if checkpoint is None else checkpoint.number}
