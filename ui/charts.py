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
                "flow:N", title=None, scale=alt.Scale(range=_FLOW_COLOURS), legend=alt.Legend(orient="top", columns=3)
            ),
            tooltip=["day:T", "flow:N", "movements:Q"],
        )
        .properties(height=260)
    )


def lanes(frame: pd.DataFrame) -> Any:
    """Handoffs under way by lane, orange where they are past their promise. Columns: lane, state, handoffs."""
    colours = alt.Scale(domain=["in time", "past their promise"], range=[TEAL, ORANGE])
    two_lines = alt.Axis(labelLimit=190, labelOffset=-6, labelExpr="split(replace(datum.value, ' → ', ' →|'), '|')")
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("handoffs:Q", title="handoffs under way", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("lane:N", sort="-x", title=None, axis=two_lines),
            # one below the other: beside the labels a phone has room for one
            color=alt.Color(
                "state:N", title=None, scale=colours, legend=alt.Legend(orient="top", direction="vertical")
            ),
            tooltip=["lane:N", "state:N", "handoffs:Q"],
        )
        .properties(height=alt.Step(34))
    )


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
    line = future.mark_line(color=ORANGE, strokeWidth=2.2, point=alt.OverlayMarkDef(size=18, color=ORANGE)).encode(
        axis, y="yHat:Q", tooltip=["ds:T", "yHat:Q", "lo80:Q", "hi80:Q", "lo95:Q", "hi95:Q", "model:N"]
    )
    return (wide + narrow + past + line).properties(height=340)


def contest(frame: pd.DataFrame, metric: str, chosen: str | None, better: str = "less is better") -> Any:
    """Models by their error in the back-test, the chosen one in teal. Columns: model, value."""
    order = list(frame.sort_values("value", key=lambda errors: errors.abs())["model"])
    bars = (
        alt.Chart(frame)
        .mark_bar(height=16)
        .encode(
            x=alt.X("value:Q", title=f"{metric} in the back-test ({better})"),
            y=alt.Y("model:N", sort=order, title=None, axis=alt.Axis(labelLimit=240)),
            color=alt.condition(alt.datum.model == chosen, alt.value(TEAL), alt.value(GREY)),
            tooltip=["model:N", alt.Tooltip("value:Q", format=".3f")],
        )
    )
    aside = {"align": alt.expr("datum.value < 0 ? 'right' : 'left'"), "dx": alt.expr("datum.value < 0 ? -4 : 4")}
    text = bars.mark_text(**aside).encode(text=alt.Text("value:Q", format=".3f"))
    return (bars + text).properties(height=alt.Step(26))


def shares(frame: pd.DataFrame) -> Any:
    """The part of each member in a forecast. Columns: model, value."""
    order = list(frame.sort_values("value", ascending=False)["model"])
    bars = (
        alt.Chart(frame)
        .mark_bar(height=14, color=TEAL)
        .encode(
            x=alt.X("value:Q", title="share", axis=alt.Axis(format=".0%")),
            y=alt.Y("model:N", sort=order, title=None, axis=alt.Axis(labelLimit=240)),
            tooltip=["model:N", alt.Tooltip("value:Q", format=".1%")],
        )
    )
    return bars.properties(height=alt.Step(22))


def timeline(frame: pd.DataFrame) -> Any:
    """Events in time by place. Columns: when, where, step, what, who."""
    return (
        alt.Chart(frame)
        .mark_circle(size=110, opacity=0.85)
        .encode(
            x=alt.X("when:T", title=None),
            y=alt.Y(
                "where:N",
                title=None,
                sort=alt.EncodingSortField("when", op="min"),
                axis=alt.Axis(labelLimit=320, minExtent=200),
            ),
            color=alt.Color("step:N", title="business step", legend=alt.Legend(orient="top", columns=6)),
            tooltip=["when:T", "where:N", "step:N", "what:N", "who:N"],
        )
        .properties(height=max(180, 26 * frame["where"].nunique() + 60))
    )
