"""A trace as a Graphviz graph, laid out in the direction the goods went.

What carried goods (pallets, cases) is gathered by place: a lot that went out on forty pallets is one lot and the places
they went to, not forty boxes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from ui.client import Json
from ui.words import short, tail

Name = Callable[[str | None], str]
_COLOURS = {"start": "#0f766e", "material": "#b45309", "product": "#1d4ed8"}
_GREY, _RED = "#64748b", "#b91c1c"
_MOST = 90


def dot(trace: Json, name: Name) -> str:
    """DOT source. Of a very large trace the nearest nodes are drawn."""
    nodes = sorted(trace["nodes"], key=lambda node: (node["depth"], node["id"]))
    boxes = {node["id"]: _box_of(node) for node in nodes}
    members: defaultdict[str, list[Json]] = defaultdict(list)
    for node in nodes:
        members[boxes[node["id"]]].append(node)
    shown = dict(list(members.items())[:_MOST])
    lines = [
        "digraph trace {",
        'rankdir=LR; bgcolor="transparent"; nodesep=0.16; ranksep=0.6;',
        'node [fontname="Source Sans Pro, DejaVu Sans, sans-serif", fontsize=11];',
        'edge [color="#94a3b8", arrowsize=0.7, fontsize=9, fontcolor="#64748b"];',
        *(_node(box, inside, name) for box, inside in shown.items()),
        *_edges(trace["edges"], boxes, shown),
    ]
    if len(members) > len(shown):
        lines.append(f'more [label="… {len(members) - len(shown)} more", shape=plaintext];')
    return "\n".join([*lines, "}"])


def _box_of(node: Json) -> str:
    """Carriers at one place, on one side of what was asked for, share a box."""
    if node["role"] != "carrier":
        return str(node["id"])
    side = "both" if node["upstream"] and node["downstream"] else "up" if node["upstream"] else "down"
    return f"carriers {side} {node['depth']} {node['place']} {node['status']} {node.get('possible')}"


def _node(box: str, inside: list[Json], name: Name) -> str:
    first = inside[0]
    if first["kind"] == "transformation":
        return f'"{_escaped(box)}" [label="made into", shape=diamond, fontsize=9, color="{_GREY}", tooltip="{_escaped(box)}"];'
    label = _label(inside, name)
    colour = _RED if any(node.get("recalled") for node in inside) else _COLOURS.get(first["role"], _GREY)
    shape = "style=solid" if first["kind"] == "lot" else 'style="rounded"'
    if first.get("possible"):
        shape = "style=dotted"
    if first["role"] == "start":
        shape = 'style="filled,rounded", fillcolor="#ccfbf1", penwidth=2'
    tip = _escaped(", ".join(node["id"] for node in inside[:5]))
    return f'"{_escaped(box)}" [label="{label}", shape=box, {shape}, color="{colour}", tooltip="{tip}"];'


def _label(inside: list[Json], name: Name) -> str:
    first = inside[0]
    what = _escaped(tail(first["id"])) if len(inside) == 1 else f"{len(inside)} units"
    if first["kind"] == "lot" and first["product"]:
        product = name(first["product"])
        what = f"{_escaped(tail(first['product']) if product == short(first['product']) else product)}\\nlot {what}"
    state = " (on its way)" if first["status"] == "in_transit" else " RECALLED" if first.get("recalled") else ""
    where = f"\\n{_escaped(name(first['place']))}" if first["place"] else ""
    return f"{what}{state}{where}"


def _edges(edges: list[Json], boxes: dict[str, str], shown: dict[str, list[Json]]) -> list[str]:
    """Each pair of boxes once. A carrier is drawn after what it carried."""
    drawn: dict[tuple[str, str], str] = {}
    for edge in edges:
        source, target = boxes.get(edge["source"], ""), boxes.get(edge["target"], "")
        packed = edge["kind"] == "contains"
        if packed:
            source, target = target, source
        if source in shown and target in shown and source != target:
            style = "dotted" if edge.get("possible") else "dashed" if packed else "solid"
            drawn[(source, target)] = "" if style == "solid" else f" [style={style}]"
    return [f'"{_escaped(source)}" -> "{_escaped(target)}"{style};' for (source, target), style in drawn.items()]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
