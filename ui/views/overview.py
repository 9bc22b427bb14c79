"""What moves, what is late, what may run out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ui import charts, words
from ui.client import Json
from ui.shared import ask, ask_all, name, places, provenance, readable

_DAYS = {"30 days": 30, "90 days": 90, "a year": 365}


def page() -> None:
    """The analyst's morning."""
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.title("Overview")
    span = right.selectbox("Period", list(_DAYS), index=1)
    overview = ask("/overview", days=_DAYS[span], top=15)
    if not overview["events"]:
        _nothing_yet()
        return
    _figures(overview)
    _moving(overview)
    _late(overview)
    _running_out()
    _not_adding_up(overview)
    provenance(overview["block"], words.day(overview["recordedAt"]))


def _nothing_yet() -> None:
    st.info(
        "Nothing is on the ledger yet. Capture EPCIS documents, or let the simulation make some:",
        icon=":material/inbox:",
    )
    st.code("lotline capture FILE…\nlotline import scms FILE\nlotline simulate", language="shell")


def _figures(overview: Json) -> None:
    late, moving = overview["late"], overview["inTransit"]
    cells = st.columns(5)
    cells[0].metric("In transit", words.number(moving), border=True)
    share = f"{late / moving:.0%} of what is in transit" if moving else None
    cells[1].metric(
        "Past their promise", words.number(late), share, delta_color="inverse" if late else "off", border=True
    )
    cells[2].metric("Open exceptions", words.number(sum(overview["openExceptions"].values())), border=True)
    cells[3].metric("Handoffs", words.number(overview["handoffs"]), border=True)
    cells[4].metric("Events on the ledger", words.number(overview["events"]), border=True)


def _moving(overview: Json) -> None:
    st.subheader("What moves")
    left, right = st.columns(2)
    frame = pd.DataFrame(overview["movements"])
    if frame.empty:
        left.info("No movement in this period.")
    else:
        frame["flow"] = frame["flow"].map(lambda flow: words.FLOWS.get(flow, flow))
        left.altair_chart(charts.movements(frame), width="stretch")
    points, lanes = _map(overview["lanes"])
    if lanes.empty:
        right.caption("Nothing is under way between places whose position is registered.")
    else:
        right.altair_chart(charts.network(points, lanes), width="stretch")
        right.caption("Lanes with goods under way; orange where some are past their promise.")


def _map(lanes: list[Json]) -> tuple[pd.DataFrame, pd.DataFrame]:
    known = {key: place for key, place in places().items() if place.get("latitude") is not None}
    drawn = [lane for lane in lanes if lane["fromPlace"] in known and lane["toPlace"] in known]
    ends = {lane[side] for lane in drawn for side in ("fromPlace", "toPlace")}
    points = [
        {
            "name": known[end]["name"],
            "kind": known[end]["kind"],
            "longitude": known[end]["longitude"],
            "latitude": known[end]["latitude"],
        }
        for end in sorted(ends)
    ]
    rules = [
        {
            "x": known[lane["fromPlace"]]["longitude"],
            "y": known[lane["fromPlace"]]["latitude"],
            "x2": known[lane["toPlace"]]["longitude"],
            "y2": known[lane["toPlace"]]["latitude"],
            "handoffs": lane["handoffs"],
            "late": lane["late"],
            "label": f"{lane['fromName']} → {lane['toName']}",
        }
        for lane in drawn
    ]
    return pd.DataFrame(points), pd.DataFrame(rules)


def _late(overview: Json) -> None:
    st.subheader("What is late")
    if not overview["mostLate"]:
        st.success("Nothing that was released is past its promise.", icon=":material/check_circle:")
        return
    rows = [
        {
            "item": handoff["item"],
            "thing": words.short(handoff["item"]),
            "from": handoff["fromPlaceName"] or name(handoff["fromParty"]),
            "to": handoff["toPlaceName"] or name(handoff["toParty"]),
            "document": words.reference(handoff["reference"]),
            "promised": words.moment(handoff["promisedAt"]),
            "days late": words.days_between(handoff["promisedAt"], overview["at"]),
            "evidence": words.hash_text((handoff["releaseEvents"] or [None])[0]),
        }
        for handoff in overview["mostLate"]
    ]
    _table(rows)
    st.caption("Select a row to trace the goods.")


def _table(rows: list[Json]) -> None:
    frame = pd.DataFrame(rows)
    picked = st.dataframe(
        frame.drop(columns="item"),
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "promised": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "days late": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    chosen = picked["selection"]["rows"] if picked else []
    if chosen:
        st.switch_page(st.session_state["pages"]["trace"], query_params={"id": str(frame.iloc[chosen[0]]["item"])})


def _running_out() -> None:
    st.subheader("What may run out")
    risks = [risk for risk in ask_all("/disruptions", 200) if risk["kind"].startswith("stock")]
    if not risks:
        st.caption("No stock-out is foreseen, or no forecast was made yet: `lotline forecast` makes one.")
        return
    rows = [
        {
            "severity": words.SEVERITIES.get(risk["severity"], risk["severity"]),
            "what": readable(risk["detail"]),
            "expected": words.moment(risk["expectedAt"]),
        }
        for risk in risks[:12]
    ]
    config = {
        "expected": st.column_config.DatetimeColumn(format="YYYY-MM-DD"),
        "what": st.column_config.TextColumn(width="large"),
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", column_config=config)


def _not_adding_up(overview: Json) -> None:
    st.subheader("What does not add up")
    counts = overview["openExceptions"]
    if not counts:
        st.success("No exception is open.", icon=":material/check_circle:")
        return
    kind = st.segmented_control(
        "Kind",
        ["all", *counts],
        default="all",
        format_func=lambda k: k if k == "all" else f"{k.replace('_', ' ')} ({counts[k]})",
    )
    found = ask("/exceptions", status="open", kind=None if kind in (None, "all") else kind, perPage=50)["items"]
    rows = [
        {
            "kind": entry["kind"].replace("_", " "),
            "since": words.moment(entry["openedAt"]),
            "what": readable(entry["detail"]),
            "between": ", ".join(name(party) for party in entry["parties"]),
            "evidence": words.hash_text(entry["event"]),
        }
        for entry in found
    ]
    config = {
        "since": st.column_config.DatetimeColumn(format="YYYY-MM-DD"),
        "what": st.column_config.TextColumn(width="large"),
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", height=280, column_config=config)
