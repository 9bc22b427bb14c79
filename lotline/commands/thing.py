"""`lotline thing`: where a thing is now, who holds it, how much there is of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from instance.creation import load_settings
from lotline.errors import CommandError
from lotline.lookup import reading, resolve
from lotline.output import Session, session
from lotline.plain import plain
from lotline.proving import write_proof
from lotline.words import amount, hop, short
from readmodel.queries.lot_stock import MassBalance
from readmodel.queries.naming import names
from readmodel.queries.records import EventRecord
from readmodel.queries.things import ThingRecord, thing

app = typer.Typer()


@app.command("thing")
def thing_command(
    context: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="Digital Link, EPC URN, (01)…(10)…, or a lot or serial number."),
    ],
    proof: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a proof of all its events.")] = None,
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
    if proof is not None:
        write_proof(here, settings, proof, "thing", found.id)


def _named(found: ThingRecord) -> list[str | None]:
    loose = [uri for balance in found.balances for uri in (balance.holder, balance.place)]
    packed = [uri for part in found.packed for uri in (part.holder, part.place)]
    handoffs = [uri for one in found.handoffs for uri in (one.from_party, one.to_party, one.from_place, one.to_place)]
    return [found.place, found.holder, *loose, *packed, *handoffs]


def _show(here: Session, found: ThingRecord, named: dict[str, str]) -> None:
    _show_state(here, found, named)
    for handoff in found.handoffs:
        promised = f", promised for {handoff.promised_at:%Y-%m-%d}" if handoff.promised_at else ""
        here.text(f"  handoff {handoff.status}: {hop(handoff, named)}{promised}")
    for fault in found.exceptions:
        severity = f" ({fault.severity})" if fault.severity else ""
        here.text(f"  open exception: {fault.kind.replace('_', ' ')}{severity}: {fault.detail}")
    here.text()
    here.table(
        "last events",
        ["when (UTC)", "step", "disposition", "said by", "#block", "event"],
        [(f"{e.event_time:%Y-%m-%d %H:%M}", _step(e), e.disposition, e.msp, e.block, e.hash) for e in found.events],
    )


def _name(named: dict[str, str], identifier: str | None) -> str:
    return named.get(identifier, identifier) if identifier else "unknown"


def _show_state(here: Session, found: ThingRecord, named: dict[str, str]) -> None:
    state = "recalled" if found.recalled else found.status
    product = f"  {found.product_name}" if found.product_name else ""
    here.text(f"{found.id}{product}  ({found.kind}{', ' + state if state else ''})")
    for parent in found.parents:
        here.text(f"  inside {parent}")
    if found.kind == "instance":
        here.text(f"  at {_name(named, found.place)}, held by {_name(named, found.holder)}")
    if found.commissioned is False:
        here.text("  nobody has reported its making")
    if found.endorsers:
        here.text(f"  every change needs the agreement of {' and '.join(found.endorsers)}")
    _show_stock(here, found, named)
    if found.contents_total:
        here.text(f"  {found.contents_total} things inside")


def _show_stock(here: Session, found: ThingRecord, named: dict[str, str]) -> None:
    for line in found.balances:
        if not float(line.quantity):
            continue  # all of it has gone on
        where = f"at {_name(named, line.place)}, held by {_name(named, line.holder)}"
        here.text(f"  {amount(line.quantity, line.uom)} loose {where}")
    for pack in found.packed:
        units = "1 unit" if pack.carriers == 1 else f"{pack.carriers} units"
        where = f"at {_name(named, pack.place)}, held by {_name(named, pack.holder)}"
        here.text(f"  {amount(pack.quantity, pack.uom)} packed on {units} {where}")
    for moving in found.in_transit:
        how = f"on {short(moving.carrier)}" if moving.carrier else f"by handoff {moving.handoff}"
        here.text(f"  {amount(moving.quantity, moving.uom)} on the way {how}")
    for total in found.sums:
        parts = f"loose {total.loose}, packed {total.packed}, in transit {total.in_transit}"
        here.text(f"  in all {amount(total.total, total.uom)}: {parts}")
    for balance in found.mass_balance:
        here.text(f"  {_balanced(balance)}")


def _balanced(balance: MassBalance) -> str:
    """``mass balance (kg): made 100 - sold 60 = 40 on hand``, and what does not fit."""
    terms = [("used", balance.used), ("sold", balance.sold), ("removed", balance.removed), ("missing", balance.missing)]
    taken = "".join(f" - {name} {quantity}" for name, quantity in terms if quantity != "0")
    line = (
        f"mass balance: made {balance.made}{taken} = {amount(balance.expected, balance.uom)}, on hand {balance.on_hand}"
    )
    if balance.difference == "0":
        return f"{line}: it adds up" if balance.missing == "0" else f"{line}: it adds up but for what is missing"
    more = not balance.difference.startswith("-")
    return f"{line}: {balance.difference.removeprefix('-')} {'more' if more else 'less'} than was told of"


def _step(event: EventRecord) -> str:
    step = event.biz_step or event.type
    if event.declares is not None:
        return f"declaration of error ({step})"
    return f"{step} (declared wrong)" if event.declared_in_error else step
