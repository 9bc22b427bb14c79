"""`lotline trace`: the history of a thing, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from instance.creation import load_settings
from lotline.errors import CommandError
from lotline.lookup import reading, resolve
from lotline.output import Session, session
from lotline.plain import plain
from lotline.proving import write_proof
from lotline.words import amount, handed_over, hop, short
from proving.answers import shown_in, unprovable
from readmodel.queries.trace import Direction, Trace, TraceEvent, TraceHandoff, TraceNode, trace

app = typer.Typer()


@app.command("trace")
def trace_command(
    context: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="Digital Link, EPC URN, (01)…(10)…, or a lot or serial number."),
    ],
    direction: Annotated[Direction, typer.Option(help="Where it came from, where it went, or both.")] = "both",
    max_nodes: Annotated[int, typer.Option(min=1, help="Stop after so many things.")] = 5_000,
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a proof of it for `lotline verify`.")
    ] = None,
) -> None:
    """Trace a thing through packing, making and shipping: what it was made of, what became of it, who had it.

    A product (GTIN) is traced as all its lots.
    """
    here = session(context)
    settings = load_settings(here.home)
    with reading(settings) as connection:
        found = trace(connection, resolve(connection, identifier), direction=direction, max_nodes=max_nodes)
    if found is None:
        raise CommandError(f"the ledger never heard of {identifier}", hint="Is it written as on the label?")
    here.answer(plain(found))
    if not here.json:
        _show(here, found, direction)
    if proof is not None:
        if why := unprovable(found):
            raise CommandError(f"no proof: {why}")
        write_proof(here, settings, proof, "trace", found.start, direction=direction, shown=shown_in(found))


def _show(here: Session, found: Trace, direction: Direction) -> None:
    start = next(node for node in found.nodes if node.role == "start")
    product = f"  {name}" if (name := found.names.get(start.product or "")) else ""
    here.text(f"{found.start}{product}{'  RECALLED' if start.recalled else ''}")
    if start.kind == "product":
        members = [edge.target for edge in found.edges if edge.source == start.id and edge.kind == "instance_of"]
        here.text(f"  a product: the trace of its {len(members)} lots and items without a lot")
    if direction != "downstream":
        _side(here, found, "came from", [node for node in found.nodes if node.upstream and node.depth])
    if direction != "upstream":
        _side(here, found, "went into", [node for node in found.nodes if node.downstream and node.depth])
    _handoffs(here, found)
    here.text()
    here.table(
        "what happened",
        ["when (UTC)", "step", "what", "how much", "where", "who", "said by", "#block", "transaction"],
        [_event(event, found) for event in found.events],
    )
    for event in found.events:
        for wrong in event.declared_in_error:
            when = f" on {_day(wrong.declared_at)}" if wrong.declared_at else ""
            here.text(f"declared wrong by {wrong.msp}{when}, {wrong.reason or 'no reason given'}: {event.hash}")
    if any(node.possible for node in found.nodes):
        here.say("'possible': goods of one lot were mixed, and they may be of any of these.")
    if found.truncated:
        here.say("There is more than was asked for: raise --max-nodes, or trace in one --direction.")


def _side(here: Session, found: Trace, title: str, nodes: list[TraceNode]) -> None:
    here.text()
    if nodes:
        columns = ["#steps", "what", "product", "kind", "as", "status", "place", "holder"]
        here.table(title, columns, [_node(node, found) for node in nodes])
        return
    upstream = title == "came from"
    hops = [one for one in found.handoffs if (one.upstream if upstream else one.downstream)]
    if hops:
        for one in hops:
            here.text(f"{title.partition(' ')[0]} {hop(one, found.names)}")
    elif upstream and (made := _making(found)) is not None:
        where = _name(made.biz_location or made.read_point, found)
        here.text(
            f"{title}: made {_day(made.event_time)} at {where or 'a place nobody named'}, of nothing on the ledger"
        )
    else:
        here.text(f"{title}: nothing that is on the ledger")


def _making(found: Trace) -> TraceEvent | None:
    made = (event for event in found.events if event.action == "ADD" and event.type == "ObjectEvent")
    return next((event for event in made if found.start in event.things and not event.declared_in_error), None)


def _handoffs(here: Session, found: Trace) -> None:
    if not found.handoffs:
        return
    here.text()
    here.table(
        "handed over",
        ["what", "from", "to", "released", "accepted", "promised", "how much", "status", "document", "faults"],
        [_handoff(one, found) for one in found.handoffs],
    )


def _handoff(one: TraceHandoff, found: Trace) -> tuple[object, ...]:
    faults = [f"{fault.title}{'' if fault.status == 'open' else ' (settled)'}" for fault in one.faults]
    marks = [
        mark for mark, there in (("late", one.late), ("recalled", one.recalled), ("possible", one.possible)) if there
    ]
    return (
        short(one.item),
        *(" · ".join(_names(pair, found)) for pair in ((one.from_party, one.from_place), (one.to_party, one.to_place))),
        *(_day(when) for when in (one.released_at, one.accepted_at, one.promised_at)),
        handed_over(one, {node.product for node in found.nodes if node.role in ("start", "material")}),
        one.status,
        one.reference,
        ", ".join([*marks, *faults]),
    )


def _node(node: TraceNode, found: Trace) -> tuple[object, ...]:
    return (
        node.depth,
        "made into" if node.kind == "transformation" else short(node.id),
        found.names.get(node.product or "", ""),
        node.kind,
        f"{node.role}, possible" if node.possible else node.role,
        "recalled" if node.recalled else node.status,
        _name(node.place, found),
        _name(node.holder, found),
    )


def _event(event: TraceEvent, found: Trace) -> tuple[object, ...]:
    step = event.biz_step or event.type
    if event.declares is not None:
        step = f"declaration of error ({step})"
    elif event.declared_in_error:
        step = f"{step} (declared wrong)"
    return (
        f"{event.event_time:%Y-%m-%d %H:%M}",
        step,
        _things(event.things, found.start),
        ", ".join(dict.fromkeys(amount(one.quantity, one.uom) for one in event.quantities)),
        _name(event.read_point or event.biz_location, found),
        _name(event.party, found),
        event.msp,
        event.block,
        event.tx_id[:16],
    )


def _things(things: list[str], start: str) -> str:
    first = start if start in things else things[0]
    more = f" and {len(things) - 1} more" if len(things) > 1 else ""
    return short(first) + more


def _names(identifiers: Iterable[str | None], found: Trace) -> list[str]:
    return [name for identifier in identifiers if (name := _name(identifier, found))]


def _name(identifier: str | None, found: Trace) -> str:
    return found.names.get(identifier, short(identifier)) if identifier else ""


def _day(when: datetime | None) -> str:
    return "" if when is None else f"{when:%Y-%m-%d %H:%M}"
