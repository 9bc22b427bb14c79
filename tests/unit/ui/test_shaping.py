"""What goes into tables and charts: order, units, and cells that a spreadsheet does not run."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest

from ui import charts
from ui.shared import height_of, party_at
from ui.tables import csv
from ui.views import disruptions, forecasts, overview, trace

PLACES = {"fromPlace": "https://id.gs1.org/414/9506000134352", "toPlace": "https://id.gs1.org/414/9506000134369"}


def lane(origin: str, target: str, handoffs: int, late: int) -> dict[str, Any]:
    return {**PLACES, "fromName": origin, "toName": target, "handoffs": handoffs, "late": late}


def test_lanes_are_split_by_promise_and_the_busiest_kept() -> None:
    many = [lane("Mill", f"Shop {n}", n, 0) for n in range(1, 12)]
    frame = overview._lanes([lane("Farm", "Mill", 50, 20), *many])
    assert list(frame.itertuples(index=False, name=None))[:3] == [
        ("Farm → Mill", "in time", 30),
        ("Farm → Mill", "past their promise", 20),
        ("Mill → Shop 11", "in time", 11),
    ]
    assert frame["lane"].nunique() == 10
    assert "Mill → Shop 1" not in set(frame["lane"])
    assert overview._lanes([]).empty


def backtests(**scores: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"model": model, "metric": metric, "value": value}
        for model, metrics in scores.items()
        for metric, value in metrics.items()
    ]
    return pd.DataFrame(rows)


def test_scores_have_the_chosen_model_first_then_the_least_error() -> None:
    frame = backtests(
        naive={"bias": 0.0, "mase": 1.2, "wape": 0.5},
        theta={"bias": -0.4, "mase": 0.8, "wape": 0.3},
        ets={"bias": -0.3, "mase": 0.9, "wape": 0.2, "coverage80": 0.8},
    )
    scores = forecasts._scores(frame, "ets")
    assert list(scores["model"]) == ["ets", "theta", "naive"]
    assert list(scores.columns) == ["model", "MASE", "WAPE", "bias"]


def test_scores_without_a_known_measure_are_no_failure() -> None:
    assert list(forecasts._scores(backtests(ets={"coverage80": 0.8}), "ets")["model"]) == ["ets"]


def test_bias_is_best_near_nought() -> None:
    frame = pd.DataFrame({"model": ["low", "best", "high"], "value": [-0.5, 0.1, 0.3]})
    spec = charts.contest(frame, "bias", "best", forecasts._better("bias")).to_dict()
    bars = spec["layer"][0]["encoding"]
    assert bars["y"]["sort"] == ["best", "high", "low"]
    assert "nearer to 0" in bars["x"]["title"]
    assert "less is better" in charts.contest(frame, "MASE", "best").to_dict()["layer"][0]["encoding"]["x"]["title"]


def test_a_forecast_has_both_intervals_and_its_unit() -> None:
    ahead = pd.DataFrame([{"ds": "2026-01-02", "yHat": 2, "lo80": 1, "hi80": 3, "lo95": 0, "hi95": 4, "model": "ets"}])
    past = pd.DataFrame({"ds": ["2026-01-01"], "y": [2]})
    layers = charts.forecast(past, ahead, "kg a day").to_dict()["layer"]
    assert [layer["encoding"]["y"]["field"] for layer in layers] == ["lo95", "lo80", "y", "yHat"]
    assert [layer["encoding"].get("y2", {}).get("field") for layer in layers] == ["hi95", "hi80", None, None]
    assert layers[2]["encoding"]["y"]["title"] == "kg a day"


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "a\r=1", "a\n=1"]
)
def test_no_cell_of_the_csv_is_a_formula(text: str) -> None:
    frame = pd.DataFrame({"what": [text], "block": [-1]})
    read = pd.read_csv(io.StringIO(csv(frame)), dtype=str, keep_default_na=False)
    assert len(read) == 1
    assert not read["what"][0].lstrip().startswith(("=", "+", "-", "@"))
    assert read["block"][0] == "-1"  # a number is a number


@pytest.mark.parametrize(
    ("event", "things"),
    [
        ({"epcList": ["a", "b"]}, ["a", "b"]),
        ({"parentID": "p", "childEPCs": ["c"], "childQuantityList": [{"epcClass": "q"}]}, ["p", "c", "q"]),
        (
            {"inputQuantityList": [{"epcClass": "in"}], "outputEPCList": ["o"], "outputQuantityList": [{"epcClass": "out"}]},
            ["o", "in", "out"],
        ),
        ({}, []),
    ],
)  # fmt: skip
def test_an_event_is_about_all_its_lists(event: dict[str, Any], things: list[str]) -> None:
    assert disruptions._things(event) == things


def test_a_party_and_its_place() -> None:
    handoff = {
        "fromPartyName": "Green Farm", "fromParty": "x", "fromPlaceName": None,
        "fromPlace": "https://id.gs1.org/414/9506000134352",
        "toPartyName": None, "toParty": None, "toPlaceName": None, "toPlace": None,
    }  # fmt: skip
    assert party_at(handoff, "from") == "Green Farm · GLN 9506000134352"
    assert party_at(handoff, "to") == "–"


def test_long_tables_scroll() -> None:
    assert height_of([{}] * 8) == "content"
    assert height_of([{}] * 9) == height_of([{}] * 90) != "content"


def thing(kind: str, *balances: tuple[str, str, str | None], status: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind, "status": status, "place": None, "holder": None, "contentsTotal": 1, "recalled": False,
        "balances": [{"place": place, "holder": "h", "quantity": amount, "uom": uom} for place, amount, uom in balances],
        "packed": [], "inTransit": [], "sums": [], "massBalance": [], **more,
    }  # fmt: skip


def sums(total: str, uom: str | None = None, **parts: str) -> dict[str, Any]:
    return {"uom": uom, "loose": "0", "packed": "0", "inTransit": "0", "total": total, **parts}


def test_where_and_how_much_of_a_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "name", str)
    packed = [{"place": "s", "holder": "k", "quantity": "7", "uom": None, "carriers": 1}]
    amounts = [sums("12.5", loose="5.5", packed="7"), sums("4", "KGM", loose="4")]
    here = thing(
        *("lot", ("p", "3", None), ("q", "2.5", None), ("q", "4", "KGM"), ("r", "0", None)),
        status="active",
        packed=packed,
        sums=amounts,
    )
    assert trace._status(here) == "in stock"
    assert (trace._where(here), trace._who(here)) == ("3 places", "2 parties")
    assert trace._how_much(here) == "12.50 pieces, 4 kg"
    assert [row["how"] for row in trace._stock_rows(here)] == ["loose", "loose", "loose", "packed"]
    assert trace._adds_up(here)[0] == "Loose 5.50 pieces + packed 7 pieces + in transit 0 pieces = 12.50 pieces"
    gone = thing("lot", ("p", "0", "KGM"), status="ended", sums=[sums("0", "KGM")])
    assert (trace._status(gone), trace._where(gone), trace._who(gone)) == ("used up", "–", "–")
    assert trace._how_much(gone) == "0 kg"
    assert trace._status(thing("lot", status="recalled", recalled=True)) == "recalled"
    assert trace._status(thing("instance", status="active", recalled=True)) == "recalled"
    assert trace._status(thing("instance", status="in_transit")) == "in transit"
    assert trace._how_much(thing("instance")) == "1 thing inside"


def test_a_mass_balance_names_what_does_not_fit() -> None:
    said = {"uom": "KGM", "made": "100", "used": "0", "sold": "60", "removed": "0", "missing": "2", "expected": "38"}
    (fits,) = trace._adds_up(thing("lot", massBalance=[{**said, "onHand": "38", "difference": "0"}]))
    assert fits == "Mass balance: made 100 kg − sold 60 kg − missing 2 kg = 38 kg; on hand 38 kg: it adds up"
    (short,) = trace._adds_up(thing("lot", massBalance=[{**said, "onHand": "35", "difference": "-3"}]))
    assert short.endswith(": 3 kg less")
