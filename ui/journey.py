"""The handoffs of a trace as people read them: parties from left to right, with dates and quantities on the arrows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ui import words
from ui.client import Json

Name = Callable[[str | None], str]
_RED, _GREY, _INK = "#b91c1c", "#94a3b8", "#475569"
_MOST = 60


def of_traced(trace: Json) -> list[Json]:
    """The handoffs, with the lines of only those products that are traced: a mixed pallet carries others too."""
    traced = {node["product"] for node in trace["nodes"] if node["role"] in ("start", "material")}
    return [{**handoff, "lines": _lines(handoff, traced)} for handoff in trace["handoffs"]]


def _lines(handoff: Json, products: set[str | None]) -> list[Json]:
    return [line for line in handoff["lines"] if line["product"] in products] or handoff["lines"]


def dot(handoffs: list[Json], name: Name) -> str:
    """DOT source: a box for each party at a place, an arrow for all that went from one to another."""
    arrows: defaultdict[tuple[str, str], list[Json]] = defaultdict(list)
    boxes: dict[str, str] = {}
    for handoff in handoffs:
        ends = tuple(_end(handoff, side) for side in ("from", "to"))
        for side, end in zip(("from", "to"), ends, strict=True):
            boxes.setdefault(end, _box(handoff, side, name))
        arrows[(ends[0], ends[1])].append(handoff)
    shown = dict(list(arrows.items())[:_MOST])
    drawn = {end for pair in shown for end in pair}
    lines = [
        "digraph journey {",
        'rankdir=LR; bgcolor="transparent"; nodesep=0.25; ranksep=1.1;',
        'node [shape=box, style="rounded", color="#0f766e", fontname="Source Sans Pro, DejaVu Sans, sans-serif", fontsize=11];',
        'edge [arrowsize=0.7, fontname="Source Sans Pro, DejaVu Sans, sans-serif", fontsize=9];',
        *(f'"{_escaped(end)}" [label="{label}"];' for end, label in boxes.items() if end in drawn),
        *(_arrow(source, target, moved) for (source, target), moved in shown.items()),
    ]
    if len(arrows) > len(shown):
        lines.append(f'more [label="… {len(arrows) - len(shown)} more", shape=plaintext];')
    return "\n".join([*lines, "}"])


def _end(handoff: Json, side: str) -> str:
    return f"{handoff[f'{side}Party'] or ''} {handoff[f'{side}Place'] or ''}"


def _box(handoff: Json, side: str, name: Name) -> str:
    party, place = handoff[f"{side}Party"], handoff[f"{side}Place"]
    lines = [_escaped(name(identifier)) for identifier in (party, place) if identifier]
    return "\\n".join(dict.fromkeys(lines)) or "not known"


def _arrow(source: str, target: str, moved: list[Json]) -> str:
    wrong = sorted({mark for handoff in moved for mark in marks(handoff)})
    colour = _RED if wrong else _GREY
    ink = _RED if wrong else _INK
    much = _amounts(moved)
    label = [_dates(moved), *([much] if much else []), *([", ".join(wrong)] if wrong else [])]
    if len(moved) > 1:
        label.insert(0, words.count(len(moved), "handoff"))
    text = "\\n".join(_escaped(line) for line in label)
    style = ", style=dotted" if all(handoff["possible"] for handoff in moved) else ""
    return f'"{_escaped(source)}" -> "{_escaped(target)}" [label="{text}", color="{colour}", fontcolor="{ink}"{style}];'


def _dates(moved: list[Json]) -> str:
    left = sorted(handoff["releasedAt"][:10] for handoff in moved if handoff["releasedAt"])
    came = sorted(handoff["acceptedAt"][:10] for handoff in moved if handoff["acceptedAt"])
    return f"{left[0] if left else '?'} → {came[-1] if came else 'on its way'}"


def _amounts(moved: list[Json]) -> str:
    released: dict[str, float] = {}
    accepted: dict[str, float] = {}
    for handoff in moved:
        for line in handoff["lines"]:
            unit = line["uom"] or ""
            released[unit] = released.get(unit, 0.0) + (line["released"] or 0.0)
            accepted[unit] = accepted.get(unit, 0.0) + (line["accepted"] or 0.0)
    return " + ".join(_of(accepted[unit], released[unit], unit) for unit in released)


def _of(accepted: float, released: float, unit: str) -> str:
    if not released or not accepted:
        return words.quantity(released or accepted, unit)
    return f"{words.number(accepted)} of {words.quantity(released, unit)}"


def marks(handoff: Json) -> list[str]:
    """What is wrong with a handoff, in words: late, recalled, disputed, and its open exceptions."""
    found = [mark for mark in ("late", "recalled") if handoff[mark]]
    if handoff["status"] == "disputed":
        found.append("disputed")
    found.extend(fault["title"].lower() for fault in handoff["faults"] if fault["status"] == "open")
    return list(dict.fromkeys(found))


def rows(handoffs: list[Json], name: Name) -> list[dict[str, Any]]:
    """The handoffs as rows of a table."""
    return [
        {
            "what": words.tail(handoff["item"]),
            "how much": _amounts([handoff]) or "–",
            "from": _party(handoff, "from", name),
            "to": _party(handoff, "to", name),
            "released": words.moment(handoff["releasedAt"]),
            "accepted": words.moment(handoff["acceptedAt"]),
            "status": handoff["status"],
            "wrong": ", ".join(marks(handoff)) + (" (possible)" if handoff["possible"] else ""),
            "promised": words.moment(handoff["promisedAt"]),
            "document": words.reference(handoff["reference"]),
        }
        for handoff in handoffs
    ]


def _party(handoff: Json, side: str, name: Name) -> str:
    known = [name(identifier) for identifier in (handoff[f"{side}Party"], handoff[f"{side}Place"]) if identifier]
    return " · ".join(known) or "–"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
