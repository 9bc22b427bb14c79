"""What moves, what is late, what may run out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ui import charts, words
from ui.client import Json
from ui.shared import ROW, ask, ask_all, height_of, name, party_at, provenance, readable, wide
from ui.tables import harmless, table

_LATE_SHOWN = 15
_LANES_SHOWN = 10
_STOCK_OUTS_SHOWN = 12
_EXCEPTIONS_SHOWN = 20
_SILENT_DAYS = 30
_DAYS = {"30 days": 30, "90 days": 90, "a year": 365}


def page() -> None:
    """The analyst's morning."""
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.title("Overview")
    span = right.selectbox("Period", list(_DAYS), index=1)
    overview = _asked(_DAYS[span])
    if not overview["events"]:
        _nothing_yet()
        return
    _changed()
    _set_aside(overview)
    _figures(overview)
    _moving(overview)
    _late(overview)
    _running_out()
    _not_adding_up(overview)
    _refused(overview)
    provenance(overview["block"], words.day(overview["recordedAt"]))


def _asked(days: int) -> Json:
    """The overview as of now; of a record that ended long ago as of its end, saying so."""
    overview = ask("/overview", days=days, top=15)
    silent = words.days_between(overview["newestEvent"], overview["at"])
    if silent is None or silent < _SILENT_DAYS:
        return overview
    last = overview["newestEvent"][:10]
    st.info(f"The newest event is of {words.plain(last)}. What follows is as of that day.", icon=":material/history:")
    return ask("/overview", days=days, top=15, asOf=last) | {"asOf": last}


def _nothing_yet() -> None:
    st.info(
        "Nothing is on the ledger yet. Capture EPCIS documents, or let the simulation make some:",
        icon=":material/inbox:",
    )
    st.code("lotline capture FILE…\nlotline import scms FILE\nlotline simulate", language="shell")


def _set_aside(overview: Json) -> None:
    """The alarm: something on the ledger is in no answer."""
    count = overview["quarantined"]
    if not count:
        return
    (latest, *_) = ask("/quarantine", perPage=1)["items"]
    st.warning(
        f"{words.number(count)} records on the ledger cannot be read and are in no answer; the rest of it is. The latest: "
        f"{words.plain(latest['kind'])} in block {words.plain(str(latest['block']))}, signed by {words.plain(latest['msp'] or 'nobody')}: "
        f"{words.plain(latest['reason'])}.",
        icon=":material/report:",
    )


def _changed() -> None:
    """The alarm: somebody changed blocks, world state or tables."""
    found = ask("/audit")
    if not found["count"]:
        return
    first = found["findings"][0]
    st.error(
        f"Changed behind the ledger's back: {words.number(found['count'])}. The first, in {words.plain(first['whose'])}: "
        f"{words.plain(first['what'])}: {words.plain(first['detail'])}. `lotline audit` names them all.",
        icon=":material/gpp_bad:",
    )


def _figures(overview: Json) -> None:
    late, moving = overview["late"], overview["inTransit"]
    cells = st.columns(5)
    cells[0].metric("In transit", words.number(moving), border=True)
    cells[1].metric("Past their promise", f"{words.number(late)} of {words.number(moving)}", border=True)
    cells[2].metric("Open exceptions", words.number(sum(overview["openExceptions"].values())), border=True)
    cells[3].metric("Handoffs", words.number(overview["handoffs"]), border=True)
    cells[4].metric("Events on the ledger", words.number(overview["events"]), border=True)


def _moving(overview: Json) -> None:
    st.subheader("What moves")
    left, right = st.container(), st.container()  # side by side, names leave no room for bars
    frame = pd.DataFrame(overview["movements"])
    if frame.empty:
        left.info("No movement in this period.")
    else:
        frame["flow"] = frame["flow"].map(lambda flow: words.FLOWS.get(flow, flow))
        left.altair_chart(charts.movements(frame), width="stretch")
    lanes = _lanes(overview["lanes"])
    if lanes.empty:
        right.caption("Nothing is under way.")
    else:
        right.altair_chart(charts.lanes(harmless(lanes)), width="stretch")


def _lanes(lanes: list[Json]) -> pd.DataFrame:
    """Handoffs under way, in time and past their promise, by lane; the busiest first."""
    rows = [
        {
            "lane": f"{lane['fromName'] or name(lane['fromPlace'])} → {lane['toName'] or name(lane['toPlace'])}",
            "state": state,
            "handoffs": count,
        }
        for lane in sorted(lanes, key=lambda lane: -lane["handoffs"])[:_LANES_SHOWN]
        for state, count in (("in time", lane["handoffs"] - lane["late"]), ("past their promise", lane["late"]))
        if count
    ]
    return pd.DataFrame(rows)


def _late(overview: Json) -> None:
    st.subheader("What is late")
    if not overview["late"]:
        st.success("Nothing that was released is past its promise.", icon=":material/check_circle:")
        return
    rows = [
        {
            "item": handoff["item"],
            "thing": words.short(handoff["item"]),
            "goods": words.goods(handoff["lines"]),
            "from": party_at(handoff, "from"),
            "to": party_at(handoff, "to"),
            "document": words.reference(handoff["reference"]),
            "promised": words.moment(handoff["promisedAt"]),
            "days late": words.days_between(handoff["promisedAt"], overview["at"]),
            "evidence": words.hash_text((handoff["releaseEvents"] or [None])[0]),
        }
        for handoff in ask(
            "/handoffs",
            status="released",
            late=True,
            asOf=overview.get("asOf"),
            order="lastPromised",
            perPage=_LATE_SHOWN,
        )["items"]
    ]
    _table(rows)
    older = overview["late"] - len(rows)
    st.caption(
        "The latest promise first, times in UTC. Select a row to trace the goods."
        + (f" Not shown: {words.number(older)} with older promises." if older > 0 else "")
    )


def _table(rows: list[Json]) -> None:
    frame = pd.DataFrame(rows)
    picked = table(
        frame.drop(columns="item"),
        height=height_of(rows),
        row_height=ROW,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "thing": st.column_config.TextColumn(width=145),
            "goods": st.column_config.TextColumn(width=115),
            "from": st.column_config.TextColumn(width=158),
            "to": st.column_config.TextColumn(width=158),
            "document": st.column_config.TextColumn(width=75),
            "promised": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", width=120),
            "days late": st.column_config.NumberColumn(format="%.1f", width=65),
            "evidence": st.column_config.TextColumn(width=100, help="The first digits of the hash of the event"),
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
            "gone by": words.moment(risk["expectedAt"]),
            "product": name(risk["subject"].split(" ")[0]),
            "place": name(risk["subject"].split(" ")[-1]),
            "severity": risk["severity"],
            "why": readable(risk["detail"]).partition(": ")[2].partition(": gone by")[0],
        }
        for risk in sorted(risks, key=lambda risk: risk["expectedAt"] or "")[:_STOCK_OUTS_SHOWN]
    ]
    config = {
        "gone by": st.column_config.DatetimeColumn(format="YYYY-MM-DD", width=90),
        "product": st.column_config.TextColumn(width=150),
        "place": st.column_config.TextColumn(width=160),
        "severity": st.column_config.TextColumn(width=70),
        "why": st.column_config.TextColumn(width="large"),
    }
    table(pd.DataFrame(rows), height="content", column_config=config)
    if len(risks) > len(rows):
        st.caption(f"The next {len(rows)} of {len(risks)}; Disruptions has them all.")


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
        format_func=lambda k: words.plain(k if k == "all" else f"{k.replace('_', ' ')} ({counts[k]})"),
    )
    found = ask("/exceptions", status="open", kind=None if kind in (None, "all") else kind, perPage=_EXCEPTIONS_SHOWN)[
        "items"
    ]
    rows = [
        {
            "kind": entry["title"],
            "severity": entry["severity"] or "–",
            "since": words.moment(entry["openedAt"]),
            "what": readable(entry["detail"]),
            "between": ", ".join(name(party) for party in entry["parties"]),
            "evidence": words.hash_text(entry["event"]),
        }
        for entry in found
    ]
    config = {
        "kind": st.column_config.TextColumn(width=120),
        "severity": st.column_config.TextColumn(width=65),
        "since": st.column_config.DatetimeColumn(format="YYYY-MM-DD", width=90),
        "what": st.column_config.TextColumn(width="large"),
        "between": st.column_config.TextColumn(width=180),
        "evidence": st.column_config.TextColumn(width=100, help="The first digits of the hash of the event"),
    }
    wide(rows, config)
    shown = sum(counts.values()) if kind in (None, "all") else counts[kind]
    if shown > len(rows):
        st.caption(f"The newest {len(rows)} of {words.number(shown)}.")


def _refused(overview: Json) -> None:
    """What was tried and refused: nothing came of it, but those whom it concerns want to know."""
    count = overview["refusals"]
    if not count:
        return
    st.subheader("What was refused")
    found = ask("/refusals", perPage=_EXCEPTIONS_SHOWN)["items"]
    rows = [
        {
            "rule": entry["code"].replace("_", " "),
            "when": words.moment(entry["refusedAt"]),
            "what": readable(entry["detail"]),
            "by": entry["msp"],
            "concerns": ", ".join([*(name(party) for party in entry["parties"]), *entry["organisations"]]),
        }
        for entry in found
    ]
    config = {
        "rule": st.column_config.TextColumn(width=140),
        "when": st.column_config.DatetimeColumn(format="YYYY-MM-DD", width=90),
        "what": st.column_config.TextColumn(width="large"),
        "by": st.column_config.TextColumn(width=110, help="Who tried"),
        "concerns": st.column_config.TextColumn(width=180),
    }
    wide(rows, config)
    if count > len(rows):
        st.caption(f"The latest {len(rows)} of {words.number(count)}.")
