"""The picture of a trace is sound DOT, whatever things are called."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ui import graph

STATEMENT = re.compile(r'("(?:[^"\\]|\\.)*"|more)( -> "(?:[^"\\]|\\.)*")?( \[.*\])?;')
TEXTS = st.text(max_size=20) | st.text(st.sampled_from("\"\\<>&;[]{}\n\r\tab='"), max_size=20)
KINDS = st.sampled_from(["instance", "lot", "transformation"])
ROLES = st.sampled_from(["start", "product", "material", "carrier"])


def node(identifier: str, depth: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": identifier, "depth": depth, "kind": "instance", "role": "product", "status": "active",
        "product": None, "place": None, "upstream": False, "downstream": True, "recalled": False, "possible": False,
        **fields,
    }  # fmt: skip


def statements(source: str) -> list[str]:
    return source.splitlines()[4:-1]


@given(st.lists(TEXTS, min_size=1, max_size=6, unique=True), TEXTS, TEXTS, KINDS, ROLES)
def test_hostile_names_stay_inside_their_quotes(
    names: list[str], place: str, product: str, kind: str, role: str
) -> None:
    nodes = [node(name, place=place, product=product, kind=kind, role=role) for name in names]
    edges = [{"source": names[0], "target": name, "kind": "made"} for name in names[1:]]
    source = graph.dot({"nodes": nodes, "edges": edges}, lambda identifier: identifier or "")
    text = "\n".join(statements(source))
    # what stands between quotes is data; outside of it nothing but our own words may stand
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    allowed = {
        "label",
        "shape",
        "style",
        "color",
        "tooltip",
        "fontsize",
        "fillcolor",
        "penwidth",
        "box",
        "solid",
        "more",
        "plaintext",
        "diamond",
        "digraph",
        "dashed",
        "dotted",
        "9",
        "2",
    }
    assert "label=<" not in source  # what graphviz would read as HTML
    assert set(re.findall(r"\w+", outside)) <= allowed


def test_carriers_at_one_place_share_a_box() -> None:
    lot = node(
        "https://id.gs1.org/01/09506000134352/10/L7",
        0,
        kind="lot",
        role="start",
        product="https://id.gs1.org/01/09506000134352",
    )
    carriers = [node(f"https://id.gs1.org/00/{n:018d}", role="carrier", place="shop") for n in range(40)]
    edges = [{"source": one["id"], "target": lot["id"], "kind": "contains"} for one in carriers]
    source = graph.dot({"nodes": [lot, *carriers], "edges": edges}, lambda identifier: (identifier or "").title())
    assert "40 units\\nShop" in source
    assert source.count("->") == 1
    assert "style=dashed" in source
    assert "lot L7" in source


def test_a_huge_trace_says_what_is_left_out() -> None:
    nodes = [node(f"n{n}") for n in range(200)]
    source = graph.dot({"nodes": nodes, "edges": []}, str)
    assert "… 110 more" in source


def test_the_recalled_and_the_possible_can_be_seen() -> None:
    nodes = [node("a", recalled=True), node("b", possible=True), node("c")]
    edges = [{"source": "c", "target": "b", "kind": "output", "possible": True}]
    drawn = {line.partition(" ")[0]: line for line in statements(graph.dot({"nodes": nodes, "edges": edges}, str))[:3]}
    assert "RECALLED" in drawn['"a"']
    assert "#b91c1c" in drawn['"a"']
    assert "style=dotted" in drawn['"b"']
    assert '"c" -> "b" [style=dotted];' in graph.dot({"nodes": nodes, "edges": edges}, str)
