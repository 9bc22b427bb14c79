"""`lotline rebuild`: the read model again, from the ledger alone."""

from __future__ import annotations

import asyncio
import time

import typer
from sqlalchemy import Engine

import readmodel
from api.instance import load_settings
from api.ledgers import open_ledger
from api.settings import Settings
from ledger import Unavailable
from lotline import services
from lotline.errors import NEGATIVE, UnavailableError
from lotline.output import Session, session
from lotline.supervisor import is_up
from readmodel.digest import digest
from readmodel.projector import Projector, rebuild

app = typer.Typer()
_TICK = 0.2


@app.command("rebuild")
def rebuild_command(context: typer.Context) -> None:
    """Throw the read model away and rebuild it from block 0; say whether it is the same, byte for byte.

    Forecast results are kept. Exit code 1 when the rebuilt read model differs from what was there.
    """
    here = session(context)
    settings = load_settings(here.home)
    if is_up(settings.run_dir) or services.beating(settings):
        raise _in_use()
    engine = readmodel.open_engine(settings.readmodel_url)
    try:
        readmodel.migrate(engine)
        before, after, blocks, seconds = asyncio.run(_rebuild(here, settings, engine))
    finally:
        engine.dispose()
    same = before == after
    here.answer({"before": before, "after": after, "equal": same, "blocks": blocks, "seconds": round(seconds, 3)})
    here.text(f"before  {before}")
    here.text(f"after   {after}")
    here.text(f"{blocks} blocks in {seconds:.1f} s: {'equal' if same else 'DIFFERENT'}")
    if not same:
        raise typer.Exit(NEGATIVE)


async def _rebuild(here: Session, settings: Settings, engine: Engine) -> tuple[str, str, int, float]:
    """Digests before and after. The ledger's writer lock is held, so that no worker projects meanwhile."""
    try:
        ledger = await open_ledger(settings)
    except Unavailable:
        raise _in_use() from None
    try:
        await Projector(engine, settings.ledger.chaincode).run(ledger, until=await ledger.height())
        before = await asyncio.to_thread(digest, engine)
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


def _in_use() -> UnavailableError:
    return UnavailableError("the instance is in use: its worker writes the read model", hint="`lotline down` stops it.")
