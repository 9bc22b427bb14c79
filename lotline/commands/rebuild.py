"""`lotline rebuild`: the read model again, from the ledger alone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
from alembic.util import CommandError as MigrationError
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

import readmodel
from instance.creation import load_settings
from instance.ledgers import open_ledger
from instance.settings import Settings
from ledger import Unavailable
from ledger.port import Ledger
from lotline import services
from lotline.errors import NEGATIVE, UnavailableError
from lotline.output import Session, session
from lotline.supervisor import is_up
from readmodel.digest import digest
from readmodel.engine import is_sound, said
from readmodel.following import ChainMismatchError
from readmodel.projector import Projector, rebuild

app = typer.Typer()
_TICK = 0.2
_NO_GOOD = "its tables were no good"


@dataclass(frozen=True)
class Before:
    """The read model as it was: its digest at the ledger's height, or why it has none."""

    digest: str | None
    reason: str = ""


@app.command("rebuild")
def rebuild_command(context: typer.Context) -> None:
    """Throw the read model away and rebuild it from block 0; say whether it is the same, byte for byte.

    Forecast results are kept. Exit code 1 when the rebuilt read model differs from what was there. One that cannot be
    compared (made from another ledger, or by another version) is rebuilt all the same.
    """
    here = session(context)
    settings = load_settings(here.home)
    if is_up(settings.run_dir) or services.beating(settings):
        raise _in_use()
    moved = _move_away_if_damaged(settings)
    engine = readmodel.open_engine(settings.readmodel_url)
    try:
        before, after, blocks, seconds = asyncio.run(_rebuild(here, settings, engine))
    except DatabaseError as error:
        hint = (
            "Move it away (HOME/readmodel.db, or `database_url` in HOME/config.toml): the next start makes a new one."
        )
        raise UnavailableError(f"the read model's database can't be used: {said(error)}", hint=hint) from error
    finally:
        engine.dispose()
    if moved is not None:
        before = Before(None, f"its file was damaged and is kept as {moved.name}; results of forecasts are made anew")
    same = None if before.digest is None else before.digest == after
    here.answer(
        {
            "before": before.digest,
            "after": after,
            "equal": same,
            "reason": before.reason or None,
            "blocks": blocks,
            "seconds": round(seconds, 3),
        }
    )
    here.text(f"before  {before.digest or before.reason}")
    here.text(f"after   {after}")
    verdict = {None: "not compared", True: "equal", False: "DIFFERENT"}[same]
    here.text(f"{blocks} blocks in {seconds:.1f} s: {verdict}")
    if same is False:
        raise typer.Exit(NEGATIVE)


def _move_away_if_damaged(settings: Settings) -> Path | None:
    """A read model's file that SQLite cannot read is in the way of a new one; returns where it went."""
    file = settings.readmodel_file
    if settings.database_url or not file.exists() or is_sound(file):
        return None
    target = file.with_name(f"readmodel.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}.db")
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    return file.rename(target)


async def _rebuild(here: Session, settings: Settings, engine: Engine) -> tuple[Before, str, int, float]:
    """The read model before, its digest after. The ledger's writer lock is held, so that no worker projects meanwhile."""
    try:
        ledger = await open_ledger(settings)
    except Unavailable:
        raise _in_use() from None
    try:
        before = await _before(settings, engine, ledger)
        started = time.monotonic()
        working = asyncio.create_task(rebuild(engine, ledger, settings.ledger.chaincode))
        with here.progress() as bars:
            task = bars.add_task("rebuilding from blocks", total=await ledger.height())
            while not working.done():
                await asyncio.wait({working}, timeout=_TICK)
                checkpoint = await asyncio.to_thread(Projector(engine).checkpoint)
                bars.update(task, completed=0 if checkpoint is None else checkpoint.number + 1)
        await working
        seconds = time.monotonic() - started
        return before, await asyncio.to_thread(digest, engine), await ledger.height(), seconds
    finally:
        await ledger.close()


async def _before(settings: Settings, engine: Engine, ledger: Ledger) -> Before:
    """Bring the read model to the ledger's height, to be compared with; tables that are no good are made anew."""
    try:
        current = readmodel.is_current(engine)
        readmodel.migrate(engine)
        if not current:
            return Before(None, "made by another version")
        if not readmodel.is_whole(engine):
            readmodel.remake(engine)
            return Before(None, _NO_GOOD)
        await Projector(engine, settings.ledger.chaincode).run(ledger, until=await ledger.height())
        return Before(await asyncio.to_thread(digest, engine))
    except ChainMismatchError as error:
        return Before(None, f"{error}")
    except (SQLAlchemyError, MigrationError) as error:
        readmodel.remake(engine)
        return Before(None, f"{_NO_GOOD}: {' '.join(str(error).split())[:200]}")


def _in_use() -> UnavailableError:
    return UnavailableError("the instance is in use: its worker writes the read model", hint="`lotline down` stops it.")
