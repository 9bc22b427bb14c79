"""Where did it come from, where did it go, where is it now?"""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from ui import charts, evidence, graph, journey, words
from ui.client import Json, path_of
from ui.shared import ask, name, readable
from ui.tables import csv, harmless, table

_DIRECTIONS = {"both": "Both ways", "upstream": "Where from", "downstream": "Where to"}
_LARGEST = 2000
_FEW = 6


def page() -> None:
    """Ask for any identifier: Digital Link or EPC URN."""
    st.title("Trace")
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    given = st.query_params.get("id", "").replace(words.JOINER, "")
    identifier = (
        left.text_input(
            "Lot, item, case or pallet",
            value=given,
            placeholder="a lot or serial number, (01)…(10)…, https://id.gs1.org/01/…/10/…, urn:epc:id:sscc:…",
        )
        .replace(words.JOINER, "")
        .strip()
    )
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
    """The identifier of what was typed, which the API reads: in whatever form, or a bare number that is looked up."""
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
    title = words.plain(words.short(thing["id"]))
    if thing["productName"]:
        title += f" · {words.plain(thing['productName'])}"
    st.subheader(title)
    if thing["recalled"]:
        st.error("**Recalled**: its maker, or who holds it, said so.", icon=":material/block:")
    cells = st.columns([2, 3, 3, 2])
    cells[0].metric("Status", words.plain(_status(thing)), border=True)
    cells[1].metric("Where", words.plain(_where(thing)), border=True)
    cells[2].metric("Who holds it", words.plain(_who(thing)), border=True)
    cells[3].metric("How much", words.plain(_how_much(thing)), border=True)
    for line in _adds_up(thing):
        st.caption(words.plain(line))
    for parent in thing["parents"]:
        st.caption(f"in {words.plain(words.short(parent))}")
    if thing["endorsers"]:
        named = words.plain(" and ".join(thing["endorsers"]))
        st.caption(f"Protected: every change needs the agreement of {named}.")
    for problem in thing["exceptions"]:
        if problem["status"] == "open":
            st.warning(f"**{words.plain(problem['title'])}** — {words.plain(readable(problem['detail']))}")
    rows = _stock_rows(thing)
    if rows:
        places = words.count(len({row["place"] for row in rows}), "place")
        with st.expander(f"Stock at {places}", expanded=len(rows) <= 6):
            table(pd.DataFrame(rows))


def _stock_rows(thing: Json) -> list[Json]:
    """What is loose, packed and on its way, each where it is."""
    found = [
        {"place": name(part["place"]), "holder": name(part["holder"]), "how": how, **_much(part)}
        for how, parts in (("loose", _stock(thing)), ("packed", thing["packed"]))
        for part in parts
    ]
    moving = [
        {"place": "on its way", "holder": words.short(part["carrier"]), "how": "in transit", **_much(part)}
        for part in thing["inTransit"]
    ]
    return found + moving


def _much(part: Json) -> Json:
    return {"quantity": float(part["quantity"]), "unit": words.unit(part["uom"])}


def _adds_up(thing: Json) -> list[str]:
    """A lot's totals and its mass balance, a line for each unit."""
    lines = [
        f"Loose {_amount(one, 'loose')} + packed {_amount(one, 'packed')} + in transit {_amount(one, 'inTransit')}"
        f" = {_amount(one, 'total')}"
        for one in thing["sums"]
    ]
    for one in thing["massBalance"]:
        taken = [(word, _amount(one, word)) for word in ("used", "sold", "removed", "missing") if float(one[word])]
        text = f"Mass balance: made {_amount(one, 'made')}{''.join(f' − {word} {much}' for word, much in taken)}"
        text += f" = {_amount(one, 'expected')}; on hand {_amount(one, 'onHand')}"
        gap = float(one["difference"])
        ending = f"{words.quantity(abs(gap), one['uom'])} {'more' if gap > 0 else 'less'}" if gap else "it adds up"
        lines.append(f"{text}: {ending}")
    return lines


def _amount(one: Json, part: str) -> str:
    return words.quantity(float(one[part]), one["uom"])


def _stock(thing: Json) -> list[Json]:
    return [balance for balance in thing["balances"] if float(balance["quantity"]) != 0]


def _held(thing: Json) -> list[Json]:
    return [*_stock(thing), *thing["packed"]]


_LOTS = {"active": "in stock", "in_transit": "in transit", "ended": "used up", None: "not counted"}


def _status(thing: Json) -> str:
    if thing["recalled"]:
        return "recalled"
    if thing["kind"] == "instance" and thing["status"]:
        return str(thing["status"]).replace("_", " ")
    if thing["kind"] in ("lot", "class"):
        return _LOTS.get(thing["status"], str(thing["status"]))
    return str(thing["kind"]).replace("_", " ")


def _where(thing: Json) -> str:
    spots = {part["place"] for part in _held(thing)}
    if thing["kind"] == "instance" or len(spots) == 1:
        return name(thing["place"] or next(iter(spots), None))
    return f"{len(spots)} places" if spots else "–"


def _who(thing: Json) -> str:
    holders = {part["holder"] for part in _held(thing)}
    if thing["kind"] == "instance" or len(holders) == 1:
        return name(thing["holder"] or next(iter(holders), None))
    return f"{len(holders)} parties" if holders else "–"


def _how_much(thing: Json) -> str:
    if thing["kind"] == "instance":
        return f"{words.count(thing['contentsTotal'], 'thing')} inside" if thing["contentsTotal"] else "1"
    return ", ".join(_amount(one, "total") for one in thing["sums"]) or "–"


def _history(identifier: str, trace: Json) -> None:
    if trace["truncated"]:
        st.warning(f"The genealogy is larger than {_LARGEST} things; what is shown is its nearest part.")
    called = {**trace["names"]}

    def known(identifier: str | None) -> str:
        return called.get(identifier or "") or name(identifier)

    handoffs = journey.of_traced(trace)
    titles = [f"Handoffs ({len(handoffs)})", "Graph", "Timeline", f"Events ({len(trace['events'])})"]
    hands, drawn, time, listed = st.tabs(titles)
    with hands:
        _handoffs(handoffs, known)
    with drawn:
        # a small graph drawn as wide as the page would be a poster
        st.graphviz_chart(graph.dot(trace, known), width="stretch" if len(trace["nodes"]) > _FEW else "content")
        st.caption(
            "Left to right as the goods went. Brown: materials, green: what was asked for, blue: products made of it, red: recalled; "
            "dashed: packed on units, gathered by where those are now; dotted: possible only, as goods were mixed."
        )
    frame = evidence.shown(trace["events"], known)
    with time:
        if not frame.empty:
            st.altair_chart(charts.timeline(harmless(frame)), width="stretch")
    with listed:
        config = {"when": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")}
        table(frame, height=420, column_config=config)
        tell = words.tail(identifier).replace(" ", "-")
        left, right = st.columns(2)
        whole = csv(evidence.handed_over(trace, known))
        left.download_button("Events as CSV", whole, f"trace-{tell}.csv", "text/csv", icon=":material/download:")
        right.download_button(
            "Trace as JSON", json.dumps(trace), f"trace-{tell}.json", "application/json", icon=":material/download:"
        )


def _handoffs(handoffs: list[Json], known: graph.Name) -> None:
    if not handoffs:
        st.caption("It never changed hands: no handoff is on the ledger.")
        return
    st.graphviz_chart(journey.dot(handoffs, known), width="stretch" if len(handoffs) > _FEW else "content")
    st.caption(
        "Parties from left to right. Quantities are of the traced products. Red: late, short, disputed, recalled; dotted: possible only."
    )
    moments = ("released", "accepted", "promised")
    config: dict[str, Any] = {
        column: st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", width=125) for column in moments
    }
    config |= {side: st.column_config.TextColumn(width=190) for side in ("from", "to")}
    config |= {"what": st.column_config.TextColumn(width=105), "how much": st.column_config.TextColumn(width=120)}
    table(pd.DataFrame(journey.rows(handoffs, known)), column_config=config)
