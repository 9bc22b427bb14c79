"""`lotline thing`: where a thing is now, who holds it, how much there is of it."""

from __future__ import annotations

from typing import Annotated

import typer

from api.instance import load_settings
from lotline.errors import CommandError
from lotline.lookup import names, reading, resolve
from lotline.output import Session, session
from lotline.plain import plain
from readmodel.queries.things import ThingRecord, thing

app = typer.Typer()


@app.command("thing")
def thing_command(
    context: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="Digital Link, EPC URN, (01)…(10)…, or a lot or serial number."),
    ],
) -> None:
    """Say where a thing is now, who holds it, how much of it there is, and what is open about it."""
    here = session(context)
    settings = load_settings(here.home)
    with reading(settings) as connection:
        found = thing(connection, resolve(connection, identifier))
        if found is None:
            raise CommandError(f"the ledger never heard of {identifier}", hint="Is it written as on the label?")
        named = names(connection, _named(found))
    here.answer(plain(found))
    if not here.json:
        _show(here, found, named)


def _named(found: ThingRecord) -> list[str | None]:
    balances = [uri for balance in found.balances for uri in (balance.holder, balance.place)]
    handoffs = [uri for handoff in found.handoffs for uri in (handoff.from_party, handoff.to_party)]
    return [found.place, found.holder, *balances, *handoffs]


def _show(here: Session, found: ThingRecord, named: dict[str, str]) -> None:
    _show_state(here, found, named)
    for handoff in found.handoffs:
        promised = f", promised for {handoff.promised_at:%Y-%m-%d}" if handoff.promised_at else ""
        between = f"{_name(named, handoff.from_party)} to {_name(named, handoff.to_party)}"
        here.text(f"  handoff {handoff.status}: {between}{promised}")
    for fault in found.exceptions:
        here.text(f"  open exception: {fault.kind}: {fault.detail}")
    here.text()
    here.table(
        "last events",
        ["when (UTC)", "step", "disposition", "said by", "#block", "event"],
        [
            (f"{e.event_time:%Y-%m-%d %H:%M}", e.biz_step or e.type, e.disposition, e.msp, e.block, e.hash)
            for e in found.events
        ],
    )


def _name(named: dict[str, str], identifier: str | None) -> str:
    return named.get(identifier, identifier) if identifier else "unknown"


def _show_state(here: Session, found: ThingRecord, named: dict[str, str]) -> None:
    here.text(f"{found.id}  ({found.kind}{', ' + found.status if found.status else ''})")
    for parent in found.parents:
        here.text(f"  inside {parent}")
    if found.kind == "instance":
        here.text(f"  at {_name(named, found.place)}, held by {_name(named, found.holder)}")
    if found.commissioned is False:
        here.text("  nobody has reported its making")
    if found.endorsers:
        here.text(f"  every change needs the agreement of {' and '.join(found.endorsers)}")
    for line in found.balances:
        if not float(line.quantity):
            continue  # all of it has gone on
        where = f"at {_name(named, line.place)}, held by {_name(named, line.holder)}"
        here.text(f"  {line.quantity} {line.uom or 'pieces'} {where}")
    if found.contents_total:
        here.text(f"  {found.contents_total} things inside")
