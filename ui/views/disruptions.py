"""What will go wrong, why, what to do, and the events that say so."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ui import words
from ui.client import ApiError, Json, path_of
from ui.shared import ask, ask_all, name, open_forecast, open_trace, party_at, readable, wide
from ui.tables import table

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
_EVIDENCE_SHOWN = 20
_RISKS_SHOWN = 100


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
    kind = st.segmented_control("Kind", ["all", *kinds], default="all", format_func=lambda k: words.plain(_kind(k)))
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
        cell.metric(words.plain(_kind(str(kind))), words.number(float(count)), border=True)


def _kind(kind: str) -> str:
    return _KINDS.get(kind, kind.replace("_", " "))


def _card(entry: Json) -> None:
    word = _WHEN.get(entry["kind"], "expected")
    expected = f" · {word} {words.day(entry['expectedAt'])}" if entry["expectedAt"] else ""
    title = f"{words.SEVERITIES.get(entry['severity'], words.plain(entry['severity']))} · **{words.plain(_kind(entry['kind']))}**"
    label = f"{title} — {words.plain(_subject(entry['subject']))}{expected}"
    with st.expander(label, key=f"card-{entry['id']}"):  # by its key it stays open wherever a filter moves it
        st.write(words.plain(readable(entry["detail"])))
        _next_step(entry["subject"])
        if not entry["evidence"]:
            st.caption("No single event shows this: it follows from the series of them.")
            return
        st.caption(f"Evidence: {words.count(len(entry['evidence']), 'event')} on the ledger")
        if st.toggle("Show the evidence", key=f"evidence-{entry['id']}"):
            _evidence(entry["evidence"])


def _next_step(subject: str) -> None:
    """To the trace of what moves, or to the forecast of what is needed."""
    first, _, place = subject.partition(" ")
    if words.is_traceable(first):
        open_trace(first, "Trace it", icon=":material/account_tree:")
        return
    series = f"demand|{first}|{place}"
    if any(entry["uniqueId"] == series for entry in ask_all("/forecasts/series")):
        open_forecast(series, "See its forecast", icon=":material/show_chart:")


def _subject(subject: str) -> str:
    return " · ".join(name(part) if part.startswith("https://") else part for part in subject.split(" ")) or subject


def _evidence(hashes: list[str]) -> None:
    rows = []
    for event_hash in hashes[:_EVIDENCE_SHOWN]:
        try:
            event = ask(path_of("events", event_hash))
        except ApiError as error:
            st.warning(f"{words.plain(words.hash_text(event_hash))}: {words.plain(str(error))}")
            continue
        rows.append(_row(event_hash, event))
    if rows:
        table(pd.DataFrame(rows), height="content")
    if len(hashes) > _EVIDENCE_SHOWN:
        st.caption(f"The first {_EVIDENCE_SHOWN} of {words.number(len(hashes))}.")


def _row(event_hash: str, answer: Json) -> Json:
    results = answer["epcisBody"]["queryResults"]
    event = results["resultsBody"]["eventList"][0]
    recorded = (results.get("lotline:provenance") or [{}])[0]
    where = (event.get("bizLocation") or event.get("readPoint") or {}).get("id")
    return {
        "when": words.day(event["eventTime"]),
        "step": (event.get("bizStep") or event["type"]).replace("_", " "),
        "where": name(where),
        "what": words.listed(_things(event)),
        "said by": recorded.get("msp", "–"),
        "block": recorded.get("block"),
        "event": event_hash,
    }


def _things(event: Json) -> list[str]:
    """What an event is about, whichever of EPCIS's lists it stands in."""
    found = [event["parentID"]] if event.get("parentID") else []
    for key in ("epcList", "childEPCs", "inputEPCList", "outputEPCList"):
        found += event.get(key, [])
    for key in ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"):
        found += [part["epcClass"] for part in event.get(key, [])]
    return found


def _late_risks() -> None:
    """Those that can still be in time; what is late already stands on the overview."""
    risks = ask_all("/disruptions/late", 500)
    if not risks:
        return
    st.subheader("How likely is each open handoff to be late?")
    known = {handoff["id"]: handoff for handoff in ask_all("/handoffs", 2000, status="released")}
    run = ask("/forecasts/runs", limit=1)["items"][0]
    as_of = words.moment(run["summary"].get("as_of") or run["createdAt"])
    pending = [risk for risk in risks if (promised := words.moment(risk["promisedAt"])) and as_of and promised > as_of]
    rows = [_risk(risk, handoff) for risk in pending[:_RISKS_SHOWN] if (handoff := _open(risk["handoffId"], known))]
    if rows:
        columns = {
            "chance": st.column_config.ProgressColumn(format="%d %%", min_value=0, max_value=100, width=85),
            "thing": st.column_config.TextColumn(width=145),
            "goods": st.column_config.TextColumn(width=105),
            "from": st.column_config.TextColumn(width=148),
            "to": st.column_config.TextColumn(width=148),
            "promised": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", width=120),
            "because": st.column_config.TextColumn(width=222),
        }
        wide(rows, columns)
    else:
        st.caption("No open handoff can still be in time.")
    late = len(risks) - len(pending)
    st.caption(
        f"As of {as_of:%Y-%m-%d %H:%M} UTC, when the forecast was made."
        + (f" Past their promise by then: {words.number(late)}; the overview lists what is late." if late else "")
    )


def _open(handoff_id: str, known: dict[str, Json]) -> Json | None:
    """The handoff, if nobody completed it since the forecast."""
    found = known.get(handoff_id) or ask(path_of("handoffs", handoff_id))
    return found if found["status"] == "released" else None


def _risk(risk: Json, handoff: Json) -> Json:
    return {
        "chance": round(100 * risk["probability"]),
        "thing": words.short(handoff["item"]),
        "goods": words.goods(handoff["lines"]),
        "from": party_at(handoff, "from"),
        "to": party_at(handoff, "to"),
        "promised": words.moment(risk["promisedAt"]),
        "because": "; ".join(str(reason) for reason in risk["reasons"][:3]),
    }
