"""What will be needed, how sure that is, and how well the model did beside the naive ones."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ui import charts, words
from ui.client import Json
from ui.shared import ask, ask_all, name
from ui.tables import table

_METRICS = {"mase": "MASE", "rmsse": "RMSSE", "wape": "WAPE", "smape": "sMAPE", "bias": "bias", "msis": "MSIS"}
_PERIODS = {"D": "D", "W": "W-MON", "M": "MS", "MS": "MS", "W-MON": "W-MON", "W-SUN": "W-SUN"}
_LENGTHS = {"D": "days", "W-MON": "weeks", "MS": "months"}
_SHOWN_PERIODS = 120
_SCORES = ("mase", "rmsse", "wape", "bias")


def page() -> None:
    """Choose a series; see its past, its forecast and its contest."""
    st.title("Forecasts")
    runs = ask("/forecasts/runs", limit=1)["items"]
    if not runs:
        st.info("No forecast was made yet.", icon=":material/show_chart:")
        st.code("lotline forecast", language="shell")
        return
    series = ask_all("/forecasts/series")
    chosen = _choose(series)
    if chosen is not None:
        _show(chosen)
    _about(runs[0], series)


def _choose(series: list[Json]) -> Json | None:
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    kinds = sorted({entry["kind"] for entry in series})
    if not kinds:
        st.warning("The last run found no series that is long enough to forecast.")
        return None
    kind = left.segmented_control("Kind", kinds, default=kinds[0], format_func=words.plain) or kinds[0]
    found = sorted(
        (entry for entry in series if entry["kind"] == kind), key=lambda entry: (_is_sum(entry), _title(entry))
    )
    asked = st.query_params.get("series")
    index = next((n for n, entry in enumerate(found) if entry["uniqueId"] == asked), 0)
    chosen = right.selectbox("Series", found, index=index, format_func=_title)
    if chosen is not None:
        st.query_params["series"] = chosen["uniqueId"]
    return chosen


def _is_sum(entry: Json) -> bool:
    return entry.get("level") not in (None, "bottom")


def _title(entry: Json) -> str:
    parts = [words.short(entry["product"]) if entry["product"] else None]
    parts += [name(entry[side]) for side in ("place", "party") if entry[side]][:1]
    parts.append(entry["country"])
    if _is_sum(entry):
        parts = [*parts, "all together" if entry["level"] == "all" else "together"]
    if entry.get("uom"):
        parts.append(words.unit(entry["uom"]))
    return " · ".join(part for part in parts if part) or str(entry["uniqueId"])


def _show(series: Json) -> None:
    ahead = pd.DataFrame(ask_all("/forecasts", uniqueId=series["uniqueId"]))
    recorded, unit = _history(series)
    lengths = _LENGTHS.get(series["freq"] or "", "periods")
    cells = st.columns(4)
    cells[0].metric("Model", words.plain((series["chosenModel"] or "–").replace("_", " ")), border=True)
    cells[1].metric("Demand", words.plain(series["demandClass"] or "–"), border=True)
    cells[2].metric("Learned from", f"{words.number(series['nObs'])} {lengths}", border=True)
    cells[3].metric(
        f"Expected in the next {words.plain(lengths[:-1])}",
        f"{ahead['yHat'].iloc[0]:,.1f} {words.plain(unit)}" if len(ahead) else "–",
        border=True,
    )
    if series["fallbackReason"]:
        st.warning(f"Not all members could be fitted; {words.plain(series['fallbackReason'])}", icon=":material/info:")
    for finding in ask("/forecasts/findings", subject=series["uniqueId"])["items"]:
        title = words.plain(finding["kind"].replace("_", " "))
        st.warning(
            f"{title}, {words.number(finding['count'])}: {words.plain(finding['detail'])}", icon=":material/rule:"
        )
    if ahead.empty:
        st.caption("There is no forecast for this series.")
    else:
        ahead["ds"] = pd.to_datetime(ahead["ds"], utc=True)
        complete = recorded[recorded["ds"] < ahead["ds"].min()]  # the period under way is not over
        axis = unit if series["kind"] == "transit" else f"{unit} a {lengths[:-1]}"
        st.altair_chart(charts.forecast(complete.tail(_SHOWN_PERIODS), ahead, axis), width="stretch")
        st.caption("Line: what the ledger recorded. Orange: the forecast with its 80 % and 95 % intervals.")
    _weights(series)
    _contest(series)
    _quantiles(ahead)


def _history(series: Json) -> tuple[pd.DataFrame, str]:
    """What was recorded, by the series' own period, and in what unit; empty for series that are no flows."""
    empty = pd.DataFrame({"ds": pd.to_datetime([], utc=True), "y": []})
    query = {key: series[key] for key in ("product", "place", "party", "country") if series[key]}
    if series["kind"] != "demand" or not query:
        return empty, "days on the way" if series["kind"] == "transit" else "units"
    for flow in ("sold", "received", "shipped"):
        items = ask("/flows", flow=flow, **query)["items"]
        if items:
            frame = pd.DataFrame(items)
            frame["ds"] = pd.to_datetime(frame["day"], utc=True)
            rule = _PERIODS.get(series["freq"] or "D", "D")
            grouped = frame.set_index("ds")["quantity"].resample(rule, label="left", closed="left").sum()
            return grouped.rename("y").reset_index(), words.unit(items[-1]["uom"])
    return empty, "units"


def _quantiles(ahead: pd.DataFrame) -> None:
    """How much is enough, how surely: one-sided quantiles."""
    if ahead.empty or ahead.get("quantiles") is None or ahead["quantiles"].isna().all():
        return
    with st.expander("How much will be enough"):
        levels = pd.DataFrame(list(ahead["quantiles"]))
        shown = [level for level in ("0.5", "0.8", "0.9", "0.95", "0.99") if level in levels.columns]
        frame = levels[shown].rename(columns={level: f"{float(level):.0%}" for level in shown}).round(1)
        frame.insert(0, "from", [words.day(str(moment)) for moment in ahead["ds"]])
        table(frame, st)
        st.caption("What is wanted in a period is at most this, so surely (one-sided: service levels).")


def _weights(series: Json) -> None:
    """The part of each member in the forecast."""
    weights = series.get("weights") or {}
    if not weights:
        if _is_sum(series):
            st.caption("The sum of the forecasts of its parts, so that all levels add up.")
        return
    st.subheader("Who says how much")
    frame = pd.DataFrame({"model": list(weights), "value": list(weights.values())})
    st.altair_chart(charts.shares(frame), width="stretch")
    st.caption("Members are combined by how they did on the past; none is chosen alone.")


def _contest(series: Json) -> None:
    st.subheader("How the models did on the past")
    frame = pd.DataFrame(series["backtests"])
    if frame.empty:
        st.caption("The history is too short for a back-test.")
        return
    metrics = [metric for metric in _METRICS if metric in set(frame["metric"])]
    left, right = st.columns([2, 3])
    metric = (
        left.segmented_control("Measure", metrics, default=metrics[0], format_func=lambda m: _METRICS[m]) or metrics[0]
    )
    left.altair_chart(
        charts.contest(frame[frame["metric"] == metric], _METRICS[metric], series["chosenModel"], _better(metric)),
        width="stretch",
    )
    scores = _scores(frame, series["chosenModel"])
    plain = {column: st.column_config.NumberColumn(format="%.3f") for column in scores.columns[1:]}
    table(scores, right, column_config=plain)
    covered = frame[frame["metric"].isin(("coverage80", "coverage95"))].set_index("metric")["value"]
    if len(covered):
        right.caption(
            f"On the newest back-test the 80 % interval held {covered.get('coverage80', 0):.0%} of what came, "
            f"the 95 % interval {covered.get('coverage95', 0):.0%}."
        )
    right.caption(
        "Every member forecast the same newest periods without seeing them; naive and seasonal naive are the bar."
    )


def _scores(frame: pd.DataFrame, chosen: str | None) -> pd.DataFrame:
    """Models by their errors: the chosen one first, then the best."""
    wide = frame.pivot_table(index="model", columns="metric", values="value")
    shown = [metric for metric in _SCORES if metric in wide.columns]
    if not shown:
        return pd.DataFrame({"model": wide.index})
    wide = wide[shown].dropna(how="all").sort_values(shown[0], key=abs)
    order = sorted(wide.index, key=lambda model: bool(model != chosen))  # stable: the others stay as they are
    return wide.loc[order].rename(columns=_METRICS).rename_axis(columns=None).reset_index()


def _better(metric: str) -> str:
    return "nearer to 0 is better" if metric == "bias" else "less is better"


def _about(run: Json, series: list[Json]) -> None:
    with st.expander("About this run"):
        st.markdown(
            f"Run **{words.plain(str(run['id']))}** of {words.day(run['createdAt'])}, over the ledger up to block "
            f"**{words.plain(str(run['block']))}**: {len(series)} series. Digest of all it learned "
            f"from: {words.plain((run['dataDigest'] or '–')[:16])}; code {words.plain(run['codeVersion'] or '–')}."
        )
        st.json(run["summary"], expanded=False)
    findings = ask_all("/forecasts/findings")
    if findings:
        with st.expander(f"What is odd about the data ({len(findings)})"):
            frame = pd.DataFrame(findings)[["kind", "subject", "detail", "count"]]
            frame["kind"] = frame["kind"].str.replace("_", " ")
            table(frame, st)
