"""Where did it come from, where did it go, where is it now?"""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import streamlit as st

from ui import charts, graph, words
from ui.client import Json, path_of
from ui.shared import ask, name, readable

_DIRECTIONS = {"both": "Both ways", "upstream": "Where from", "downstream": "Where to"}
_LARGEST = 2000
_FEW = 6
_ELEMENTS = re.compile(r"\((\d{2,4})\)([^()]+)")


def page() -> None:
    """Ask for any identifier: Digital Link or EPC URN."""
    st.title("Trace")
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    given = st.query_params.get("id", "")
    identifier = left.text_input(
        "Lot, item, case or pallet",
        value=given,
        placeholder="a lot or serial number, (01)…(10)…, https://id.gs1.org/01/…/10/…, urn:epc:id:sscc:…",
    ).strip()
    direction = right.segmented_control(
        "Direction", list(_DIRECTIONS), default="both", format_func=_DIRECTIONS.__getitem__
    )
    if not identifier:
        _suggestions()
        return
    found = _found(identifier)
    if found is None:
        return
    identifier = found
    st.query_params["id"] = identifier
    thing = ask(path_of("things", identifier))
    trace = ask(path_of("trace", identifier), direction=direction or "both", maxNodes=_LARGEST)
    _now(thing)
    _history(identifier, trace)


def _found(text: str) -> str | None:
    """The identifier of what was typed: a bare lot or serial number is looked up."""
    elements = _ELEMENTS.findall(text)
    if elements and "".join(f"({key}){value}" for key, value in elements) == text:
        return "https://id.gs1.org/" + "/".join(part for element in elements for part in element)
    if ":" in text:
        return text
    carriers: list[str] = ask("/things", number=text)["items"]
    if not carriers:
        st.warning(f"The ledger never heard of {words.plain(text)}.", icon=":material/search_off:")
        return None
    if len(carriers) == 1:
        return carriers[0]
    return st.selectbox(f"{len(carriers)} things carry this number", carriers, index=None, format_func=words.short)


def _suggestions() -> None:
    st.caption("Some that moved lately:")
    for handoff in ask("/handoffs", perPage=8)["items"]:
        label = f"{words.short(handoff['item'])} — {handoff['fromPlaceName'] or '…'} → {handoff['toPlaceName'] or '…'}"
        st.page_link(st.session_state["pages"]["trace"], label=words.plain(label), query_params={"id": handoff["item"]})


def _now(thing: Json) -> None:
    st.subheader(words.plain(words.short(thing["id"])))
    cells = st.columns([2, 3, 3, 2])
    cells[0].metric("Status", _status(thing), border=True)
    cells[1].metric("Where", _where(thing), border=True)
    cells[2].metric("Who holds it", _who(thing), border=True)
    cells[3].metric("How much", _how_much(thing), border=True)
    if thing["kind"] == "lot":
        st.caption("Loose goods only: what is packed counts with the unit it is on, which the graph shows.")
    for parent in thing["parents"]:
        st.caption(f"in {words.plain(words.short(parent))}")
    if thing["endorsers"]:
        named = words.plain(" and ".join(thing["endorsers"]))
        st.caption(f"Protected: every change needs the agreement of {named}.")
    for problem in thing["exceptions"]:
        if problem["status"] == "open":
            st.warning(f"**{problem['kind'].replace('_', ' ')}** — {words.plain(readable(problem['detail']))}")
    stock = _stock(thing)
    if stock:
        with st.expander(
            f"Stock at {words.count(len({b['place'] for b in stock}), 'place')}", expanded=len(stock) <= 6
        ):
            rows = [
                {
                    "place": name(b["place"]),
                    "holder": name(b["holder"]),
                    "quantity": float(b["quantity"]),
                    "unit": words.unit(b["uom"]),
                }
                for b in stock
            ]
            st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _stock(thing: Json) -> list[Json]:
    return [balance for balance in thing["balances"] if float(balance["quantity"]) != 0]


def _status(thing: Json) -> str:
    if thing["kind"] == "instance" and thing["status"]:
        return str(thing["status"]).replace("_", " ")
    if thing["kind"] == "lot":
        return "in stock" if _stock(thing) else "none loose"
    return str(thing["kind"]).replace("_", " ")


def _where(thing: Json) -> str:
    spots = {balance["place"] for balance in _stock(thing)}
    if thing["kind"] == "instance" or len(spots) == 1:
        return name(thing["place"] or next(iter(spots), None))
    return f"{len(spots)} places" if spots else "–"


def _who(thing: Json) -> str:
    holders = {balance["holder"] for balance in _stock(thing)}
    if thing["kind"] == "instance" or len(holders) == 1:
        return name(thing["holder"] or next(iter(holders), None))
    return f"{len(holders)} parties" if holders else "–"


def _how_much(thing: Json) -> str:
    if thing["kind"] == "instance":
        return f"{words.count(thing['contentsTotal'], 'thing')} inside" if thing["contentsTotal"] else "1"
    totals: dict[str | None, float] = {}
    for balance in thing["balances"]:
        totals[balance["uom"]] = totals.get(balance["uom"], 0.0) + float(balance["quantity"])
    return ", ".join(words.quantity(amount, uom) for uom, amount in totals.items()) or "–"


def _history(identifier: str, trace: Json) -> None:
    if trace["truncated"]:
        st.warning(f"The genealogy is larger than {_LARGEST} things; what is shown is its nearest part.")
    drawn, time, table = st.tabs(["Graph", "Timeline", f"Events ({len(trace['events'])})"])
    with drawn:
        # a small graph drawn as wide as the page would be a poster
        st.graphviz_chart(graph.dot(trace, name), width="stretch" if len(trace["nodes"]) > _FEW else "content")
        st.caption(
            "Left to right as the goods went. Brown: materials, green: what was asked for, blue: products made of it; dashed: packed on units, gathered by where those are now."
        )
    frame = _events(trace["events"])
    with time:
        if not frame.empty:
            st.altair_chart(charts.timeline(frame), width="stretch")
    with table:
        config = {"when": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")}
        st.dataframe(frame, hide_index=True, width="stretch", height=420, column_config=config)
        tell = words.tail(identifier).replace(" ", "-")
        left, right = st.columns(2)
        left.download_button("Events as CSV", _csv(frame), f"trace-{tell}.csv", "text/csv", icon=":material/download:")
        right.download_button(
            "Trace as JSON", json.dumps(trace), f"trace-{tell}.json", "application/json", icon=":material/download:"
        )


def _events(events: list[Json]) -> pd.DataFrame:
    rows = [
        {
            "when": words.moment(event["eventTime"]),
            "step": (event["bizStep"] or event["type"]).replace("_", " "),
            "where": name(event["bizLocation"] or event["readPoint"]),
            "who": name(event["party"]) if event["party"] else event["msp"],
            "what": words.listed(event["things"]),
            "said by": event["msp"],
            "block": event["block"],
            "transaction": event["txId"][:12],
            "event": words.hash_text(event["hash"]),
        }
        for event in events
    ]
    return pd.DataFrame(rows)


def _csv(frame: pd.DataFrame) -> str:
    """As CSV in which no cell can be taken for a formula by a spreadsheet."""
    safe = frame.copy()
    for column in safe.select_dtypes(["object", "string"]):
        safe[column] = safe[column].map(_cell)
    return str(safe.to_csv(index=False))


def _cell(value: Any) -> Any:
    """Text on one line: a bare carriage return would begin a row, and that row a formula."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
