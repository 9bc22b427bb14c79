"""Handoffs as a picture and a table, and the events as a file."""

from __future__ import annotations

import io
import re
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ui import evidence, journey
from ui.tables import csv

LOT = "https://id.gs1.org/01/09506000134352/10/L7"
GTIN = "https://id.gs1.org/01/09506000134352"
TEXTS = st.text(max_size=20) | st.text(st.sampled_from("\"\\<>&;[]{}\n\r\tab='"), max_size=20)


def handoff(origin: str = "Farm", target: str = "Shop", **fields: Any) -> dict[str, Any]:
    return {
        "item": LOT, "kind": "lot", "status": "complete", "fromParty": origin, "toParty": target, "fromPlace": None,
        "toPlace": None, "releasedAt": "2026-05-04T09:00:00Z", "acceptedAt": "2026-05-06T09:00:00Z", "promisedAt": None,
        "lines": [{"product": GTIN, "uom": None, "released": 120.0, "accepted": 120.0}], "reference": "urn:d:7",
        "late": False, "recalled": False, "possible": False, "faults": [], **fields,
    }  # fmt: skip


def drawn(*handoffs: dict[str, Any]) -> str:
    return journey.dot(list(handoffs), lambda identifier: identifier or "")


def test_an_arrow_has_dates_and_quantities() -> None:
    source = drawn(handoff())
    assert "2026-05-04 → 2026-05-06\\n120 of 120 pieces" in source
    assert source.index('"Farm "') < source.index('"Shop "')
    assert "#b91c1c" not in source


def test_what_goes_one_way_shares_an_arrow() -> None:
    source = drawn(handoff(), handoff(acceptedAt=None, status="released"), handoff("Shop", "Kitchen"))
    assert source.count("->") == 2
    assert "2 handoffs" in source
    assert "240" in source


def test_red_is_what_is_wrong_and_says_what() -> None:
    fault = {"title": "Less arrived than left", "status": "open"}
    settled = {"title": "Arrived unannounced", "status": "closed"}
    for wrong, word in (
        (handoff(late=True), "late"),
        (handoff(recalled=True), "recalled"),
        (handoff(status="disputed"), "disputed"),
        (handoff(faults=[fault]), "less arrived than left"),
    ):
        source = drawn(wrong)
        assert "#b91c1c" in source
        assert word in source
        assert journey.rows([wrong], str)[0]["wrong"] == word
    assert "#b91c1c" not in drawn(handoff(faults=[settled]))
    assert "style=dotted" in drawn(handoff(possible=True))


@given(TEXTS, TEXTS, TEXTS)
def test_hostile_names_stay_inside_their_quotes(origin: str, target: str, title: str) -> None:
    source = drawn(handoff(origin, target, faults=[{"title": title, "status": "open"}]))
    body = "\n".join(source.splitlines()[4:-1])
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', body)
    assert set(re.findall(r"\w+", outside)) <= {
        "label",
        "color",
        "fontcolor",
        "style",
        "dotted",
        "more",
        "shape",
        "plaintext",
    }


def test_a_mixed_pallet_counts_what_is_traced() -> None:
    other = {"product": "https://id.gs1.org/01/09506000134369", "uom": None, "released": 9.0, "accepted": 9.0}
    mixed = handoff(lines=[*handoff()["lines"], other])
    nodes = [{"id": LOT, "role": "start", "product": GTIN}]
    (only,) = journey.of_traced({"nodes": nodes, "handoffs": [mixed]})
    assert [line["product"] for line in only["lines"]] == [GTIN]
    (whole,) = journey.of_traced({"nodes": [{**nodes[0], "product": "x"}], "handoffs": [mixed]})
    assert len(whole["lines"]) == 2


HASH = "ni:///sha-256;" + "ab" * 32 + "?ver=CBV2.0"


def event(**fields: Any) -> dict[str, Any]:
    return {
        "hash": HASH, "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "shipping", "disposition": "in_transit",
        "eventTime": "2026-05-04T09:00:00Z", "recordTime": "2026-05-04T09:00:01Z", "readPoint": None,
        "bizLocation": "https://id.gs1.org/414/9506000000015", "party": None, "msp": "FarmMSP", "txId": "f" * 64,
        "block": 3, "things": [LOT], "quantities": [{"thing": LOT, "quantity": 12.5, "uom": "KGM"}],
        "documents": ["urn:d:7"], "declares": None, "declaredInError": [], **fields,
    }  # fmt: skip


def test_the_file_shortens_nothing() -> None:
    trace = {"nodes": [{"id": LOT, "product": GTIN}], "names": {GTIN: "Juice"}, "events": [event()]}
    text = csv(evidence.handed_over(trace, lambda identifier: "Shop"))
    row = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False).iloc[0]
    assert (row.thing, row["product"], row.productName) == (LOT, GTIN, "Juice")
    assert (row.quantity, row.uom, row.disposition, row.documents) == ("12.5", "KGM", "in_transit", "urn:d:7")
    assert (row.event, row.transaction) == (HASH, "f" * 64)
    assert (row.bizLocation, row.placeName) == ("https://id.gs1.org/414/9506000000015", "Shop")


def test_each_thing_of_an_event_has_a_row() -> None:
    trace = {"nodes": [], "names": {}, "events": [event(things=[LOT, "p"])]}
    frame = evidence.handed_over(trace, str)
    assert list(frame["thing"]) == [LOT, "p"]
    assert list(frame["quantity"]) == ["12.5", None]


def test_what_was_declared_wrong_is_struck_through() -> None:
    said: dict[str, Any] = {
        "event": HASH,
        "msp": "FarmMSP",
        "reason": "did_not_occur",
        "declaredAt": None,
        "correctiveEventIDs": [],
    }
    frame = evidence.shown([event(declaredInError=[said]), event(declares=HASH), event()], str)
    assert frame["step"][0] == "✗ " + evidence.struck("shipping")
    assert frame["standing"][0] == "declared wrong: did not occur (FarmMSP)"
    assert frame["standing"][1] == "declares abababababab wrong"
    assert list(frame["how much"]) == ["12.50 kg"] * 3
    assert "standing" not in evidence.shown([event()], str)
    assert evidence.shown([], str).empty
