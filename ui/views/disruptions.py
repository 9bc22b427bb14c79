"""What will go wrong, why, what to do, and the events that say so."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ui import words
from ui.client import ApiError, Json, path_of
from ui.shared import ask, ask_all, name, readable

_KINDS = {
    "late_handoff": "Will be late",
    "overdue": "Overdue",
    "stock_out": "May run out",
    "lead_time_drift": "Lead time drifts",
    "demand_shock": "Demand shock",
    "custody_gap": "Custody gap",
    "exception": "Exception",
}
_WHEN = {
    "exception": "since",
    "overdue": "promised",
    "custody_gap": "promised",
    "late_handoff": "promised",
    "stock_out": "gone by",
}
_ORDER = {"high": 0, "critical": 0, "medium": 1, "low": 2}
_SHOWN = 40


def page() -> None:
    """Warnings, worst first."""
    st.title("Disruptions")
    if not ask("/forecasts/runs", limit=1)["items"]:
        st.info("Disruptions are predicted together with forecasts.", icon=":material/warning:")
        st.code("lotline forecast", language="shell")
        return
    found = sorted(
        ask_all("/disruptions"), key=lambda entry: (_ORDER.get(entry["severity"], 3), entry["expectedAt"] or "")
    )
    if not found:
        st.success("Nothing is expected to go wrong.", icon=":material/check_circle:")
        return
    _figures(found)
    kinds = sorted({entry["kind"] for entry in found})
    kind = st.segmented_control(
        "Kind", ["all", *kinds], default="all", format_func=lambda k: _KINDS.get(k, k.replace("_", " "))
    )
    wanted = [entry for entry in found if kind in (None, "all", entry["kind"])]
    for entry in wanted[:_SHOWN]:
        _card(entry)
    if len(wanted) > _SHOWN:
        st.caption(f"… and {len(wanted) - _SHOWN} more, less severe.")
    _late_risks()


def _figures(found: list[Json]) -> None:
    counts = pd.Series([entry["kind"] for entry in found]).value_counts()
    cells = st.columns(max(3, min(6, len(counts))))
    for cell, (kind, count) in zip(cells, counts.items(), strict=False):
        cell.metric(_KINDS.get(str(kind), str(kind).replace("_", " ")), words.number(float(count)), border=True)


def _card(entry: Json) -> None:
    word = _WHEN.get(entry["kind"], "expected")
    expected = f" · {word} {words.day(entry['expectedAt'])}" if entry["expectedAt"] else ""
    title = (
        f"{words.SEVERITIES.get(entry['severity'], entry['severity'])} · **{_KINDS.get(entry['kind'], entry['kind'])}**"
    )
    with st.expander(f"{title} — {words.plain(_subject(entry['subject']))}{expected}"):
        st.write(words.plain(readable(entry["detail"])))
        if not entry["evidence"]:
            st.caption("No single event shows this: it follows from the series of them.")
            return
        st.caption(f"Evidence: {len(entry['evidence'])} events on the ledger")
        if st.toggle("Show the evidence", key=f"evidence-{entry['id']}"):
            _evidence(entry["evidence"])


def _subject(subject: str) -> str:
    return " · ".join(name(part) if part.startswith("https://") else part for part in subject.split(" ")) or subject


def _evidence(hashes: list[str]) -> None:
    rows = []
    for event_hash in hashes[:20]:
        try:
            event = ask(path_of("events", event_hash))
        except ApiError as error:
            st.warning(f"{words.hash_text(event_hash)}: {error}")
            continue
        rows.append(_row(event_hash, event))
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _row(event_hash: str, answer: Json) -> Json:
    listed = answer.get("epcisBody", {}).get("eventList") or [answer.get("event", answer)]
    event = listed[0]
    where = (event.get("bizLocation") or event.get("readPoint") or {}).get("id")
    return {
        "when": words.day(event.get("eventTime")),
        "step": event.get("bizStep"),
        "where": name(where),
        "event": words.hash_text(event_hash),
        "hash": event_hash,
    }


def _who(handoff: Json | None) -> Json:
    """What goes from where to where; nothing for a handoff that was completed meanwhile."""
    if handoff is None:
        return {"what": "completed meanwhile", "from": "–", "to": "–"}
    return {
        "what": words.short(handoff["item"]),
        "from": handoff["fromPlaceName"] or name(handoff["fromParty"]),
        "to": handoff["toPlaceName"] or name(handoff["toParty"]),
    }


def _late_risks() -> None:
    risks = ask_all("/disruptions/late", 500)
    if not risks:
        return
    st.subheader("How likely is each open handoff to be late?")
    known = {handoff["id"]: handoff for handoff in ask_all("/handoffs", 2000, status="released")}
    rows = [
        {
            "probability": risk["probability"],
            **_who(known.get(risk["handoffId"])),
            "promised": words.moment(risk["promisedAt"]),
            "because": "; ".join(
                str(reason) if not isinstance(reason, dict) else str(reason.get("text", reason))
                for reason in risk["reasons"][:3]
            ),
        }
        for risk in risks
    ]
    config = {
        "probability": st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0),
        "promised": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        "because": st.column_config.TextColumn(width="large"),
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", column_config=config)
