"""Charts, all of one hand: teal for what is, orange for what is feared, grey for what is expected."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

TEAL, ORANGE, GREY, RED = "#0f766e", "#ea580c", "#94a3b8", "#dc2626"
_FLOW_COLOURS = ["#0f766e", "#14b8a6", "#7dd3fc", "#6366f1", "#f59e0b", "#94a3b8"]


def movements(frame: pd.DataFrame) -> Any:
    """Movements a day by kind. Columns: day, flow, movements."""
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("day:T", title=None),
            y=alt.Y("movements:Q", title="movements a day"),
            color=alt.Color(
                "flow:N", title=None, scale=alt.Scale(range=_FLOW_COLOURS), legend=alt.Legend(orient="top")
            ),
            tooltip=["day:T", "flow:N", "movements:Q"],
        )
        .properties(height=260)
    )


def network(points: pd.DataFrame, lanes: pd.DataFrame) -> Any:
    """Places by longitude and latitude, and lanes between them, late ones in orange.

    Columns of points: name, kind, longitude, latitude; of lanes: x, y, x2, y2, handoffs, late, label.
    """
    base = alt.Chart(points)
    reach = alt.Scale(zero=False, nice=False, padding=20)
    arrows = (
        alt.Chart(lanes)
        .mark_rule(opacity=0.75)
        .encode(
            x=alt.X("x:Q", scale=reach, axis=None),
            y=alt.Y("y:Q", scale=reach, axis=None),
            x2="x2:Q",
            y2="y2:Q",
            size=alt.Size("handoffs:Q", scale=alt.Scale(range=[1, 6]), legend=None),
            color=alt.condition("datum.late > 0", alt.value(ORANGE), alt.value(TEAL)),
            tooltip=["label:N", "handoffs:Q", "late:Q"],
        )
    )
    dots = base.mark_circle(size=90, color=TEAL).encode(x="longitude:Q", y="latitude:Q", tooltip=["name:N", "kind:N"])
    labels = base.mark_text(align="left", dx=8, fontSize=11, color="#334155").encode(
        x="longitude:Q", y="latitude:Q", text="name:N"
    )
    return (arrows + dots + labels).properties(height=360).configure_view(strokeWidth=0)


def forecast(history: pd.DataFrame, ahead: pd.DataFrame, unit: str) -> Any:
    """What was and what is expected. Columns: ds, y; and ds, yHat, lo80, hi80, lo95, hi95."""
    axis = alt.X("ds:T", title=None)
    past = (
        alt.Chart(history)
        .mark_line(color=TEAL, strokeWidth=1.6)
        .encode(axis, alt.Y("y:Q", title=unit), tooltip=["ds:T", "y:Q"])
    )
    future = alt.Chart(ahead)
    wide = future.mark_area(color=ORANGE, opacity=0.14).encode(axis, y=alt.Y("lo95:Q", title=unit), y2="hi95:Q")
    narrow = future.mark_area(color=ORANGE, opacity=0.25).encode(axis, y="lo80:Q", y2="hi80:Q")
    line = future.mark_line(color=ORANGE, strokeWidth=2.2, point=alt.OverlayMarkDef(size=18)).encode(
        axis, y="yHat:Q", tooltip=["ds:T", "yHat:Q", "lo80:Q", "hi80:Q", "lo95:Q", "hi95:Q", "model:N"]
    )
    return (wide + narrow + past + line).properties(height=340)


def contest(frame: pd.DataFrame, metric: str, chosen: str | None) -> Any:
    """Models by their error in the back-test, the chosen one in teal. Columns: model, value."""
    bars = (
        alt.Chart(frame)
        .mark_bar(height=16)
        .encode(
            x=alt.X("value:Q", title=f"{metric} in the back-test (less is better)"),
            y=alt.Y("model:N", sort="x", title=None),
            color=alt.condition(alt.datum.model == chosen, alt.value(TEAL), alt.value(GREY)),
            tooltip=["model:N", alt.Tooltip("value:Q", format=".3f")],
        )
    )
    text = bars.mark_text(align="left", dx=4, color="#334155").encode(text=alt.Text("value:Q", format=".3f"))
    return (bars + text).properties(height=max(120, 26 * len(frame)))


def timeline(frame: pd.DataFrame) -> Any:
    """Events in time by place. Columns: when, where, step, what, who."""
    return (
        alt.Chart(frame)
        .mark_circle(size=110, opacity=0.85)
        .encode(
            x=alt.X("when:T", title=None),
            y=alt.Y("where:N", title=None, sort=alt.EncodingSortField("when", op="min")),
            color=alt.Color("step:N", title="business step", legend=alt.Legend(orient="top", columns=6)),
            tooltip=["when:T", "where:N", "step:N", "what:N", "who:N"],
        )
        .properties(height=max(180, 26 * frame["where"].nunique() + 60))
    )
