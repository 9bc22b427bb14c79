"""`lotline trace`: the history of a thing, both ways."""

from __future__ import annotations

from typing import Annotated

import typer

from api.instance import load_settings
from lotline.errors import CommandError
from lotline.lookup import names, reading, resolve
from lotline.output import Session, session
from lotline.plain import plain
from readmodel.queries.trace import Direction, Trace, TraceNode, trace

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
) -> None:
    """Trace a thing through packing, making and shipping: what it was made of, what became of it."""
    here = session(context)
    settings = load_settings(here.home)
    with reading(settings) as connection:
        found = trace(connection, resolve(connection, identifier), direction=direction, max_nodes=max_nodes)
        if found is None:
            raise CommandError(f"the ledger never heard of {identifier}", hint="Is it written as on the label?")
        named = names(connection, _named(found))
    here.answer(plain(found))
    if not here.json:
        _show(here, found, named)


def _named(found: Trace) -> list[str | None]:
    nodes = [uri for node in found.nodes for uri in (node.place, node.holder)]
    return nodes + [uri for event in found.events for uri in (event.read_point, event.biz_location, event.party)]


def _show(here: Session, found: Trace, named: dict[str, str]) -> None:
    here.text(found.start)
    for title, nodes in (
        ("came from", [node for node in found.nodes if node.upstream and node.depth]),
        ("went into", [node for node in found.nodes if node.downstream and node.depth]),
    ):
        here.text()
        if not nodes:
            here.text(f"{title}: nothing that is on the ledger")
            continue
        here.table(
            title,
            ["#steps", "what", "kind", "as", "status", "place", "holder"],
            [_node(node, named) for node in nodes],
        )
    here.text()
    here.table(
        "what happened",
        ["when (UTC)", "step", "what", "where", "who", "said by", "#block", "transaction"],
        [
            (
                f"{event.event_time:%Y-%m-%d %H:%M}",
                event.biz_step or event.type,
                _things(event.things, found.start),
                _name(event.read_point or event.biz_location, named),
                _name(event.party, named),
                event.msp,
                event.block,
                event.tx_id[:16],
            )
            for event in found.events
        ],
    )
    if found.truncated:
        here.say("There is more than was asked for: raise --max-nodes, or trace in one --direction.")


def _node(node: TraceNode, named: dict[str, str]) -> tuple[object, ...]:
    return (
        node.depth,
        node.id.removeprefix("https://id.gs1.org/"),
        node.kind,
        node.role,
        node.status,
        _name(node.place, named),
        _name(node.holder, named),
    )


def _things(things: list[str], start: str) -> str:
    first = start if start in things else things[0]
    more = f" and {len(things) - 1} more" if len(things) > 1 else ""
    return first.removeprefix("https://id.gs1.org/") + more


def _name(identifier: str | None, named: dict[str, str]) -> str:
    return named.get(identifier, identifier) if identifier else ""
