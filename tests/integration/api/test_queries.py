"""A story of two organisations, asked about through every query."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from readmodel.engine import open_engine
from readmodel.forecasts import save_run
from tests.integration.api.conftest import DOCK, PALLET, Service, event, sgtin

FARM, SHOP = "https://id.gs1.org/417/0614141000005", "https://id.gs1.org/417/9506000000008"
SHELF = "https://id.gs1.org/414/9506000000015"
LOT = "https://id.gs1.org/01/09506000134352/10/L42"
BETWEEN = {
    "sourceList": [{"type": "possessing_party", "source": FARM}],
    "destinationList": [{"type": "possessing_party", "destination": SHOP}],
}


def step(action: str, biz_step: str, time: str, place: str, **more: Any) -> dict[str, Any]:
    """An object event without the items."""
    plain = event(1, action=action, bizStep=biz_step, eventTime=time, readPoint={"id": place})
    return {name: plain[name] for name in plain.keys() - {"epcList", "bizLocation", "disposition"}} | more


@pytest.fixture
async def story(service: Service) -> Service:
    """Two items on a pallet go from farm to shop and arrive; of ten kilos of a lot only eight arrive."""
    for client, party, place, name in ((service.admin, FARM, DOCK, "Farm"), (service.shop_admin, SHOP, SHELF, "Shop")):
        assert (await client.post("/parties", json={"id": party, "name": name})).status_code == 201
        body = {"id": place, "party": party, "name": f"{name} dock", "kind": "dock"}
        assert (await client.post("/places", json=body)).status_code == 201
    quantity = [{"epcClass": LOT, "quantity": 10, "uom": "KGM"}]
    arrived = [{"epcClass": LOT, "quantity": 8, "uom": "KGM"}]
    pack = {
        "type": "AggregationEvent",
        "eventTime": "2026-05-04T10:00:00.000+02:00",
        "eventTimeZoneOffset": "+02:00",
        "action": "ADD",
        "bizStep": "packing",
        "parentID": PALLET,
        "childEPCs": [sgtin(1), sgtin(2)],
        "readPoint": {"id": DOCK},
    }
    sent = await service.capture(
        event(1),
        event(2),
        step("ADD", "commissioning", "2026-05-04T09:30:00.000+02:00", DOCK, quantityList=quantity),
        pack,
        step("OBSERVE", "shipping", "2026-05-04T11:00:00.000+02:00", DOCK, epcList=[PALLET], **BETWEEN),
        step("OBSERVE", "shipping", "2026-05-04T11:00:00.000+02:00", DOCK, quantityList=quantity, **BETWEEN),
    )
    assert sent["accepted"] == 6, sent["errors"]
    received = await service.capture(
        step("OBSERVE", "receiving", "2026-05-05T11:00:00.000+02:00", SHELF, epcList=[PALLET], **BETWEEN),
        step("OBSERVE", "receiving", "2026-05-05T11:00:00.000+02:00", SHELF, quantityList=arrived, **BETWEEN),
        role="shop",
    )
    assert received["accepted"] == 2, received["errors"]
    return service


async def get(service: Service, path: str, **params: str) -> Any:
    answer = await service.analyst.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_handoffs_have_both_sides(story: Service) -> None:
    found = {each["item"]: each for each in (await get(story, "/handoffs"))["items"]}
    assert found.keys() == {PALLET, LOT}
    pallet = found[PALLET]
    assert (pallet["status"], pallet["fromParty"], pallet["toParty"]) == ("complete", FARM, SHOP)
    assert (pallet["fromMsp"], pallet["toMsp"], pallet["toPartyName"]) == ("FarmMSP", "ShopMSP", "Shop")
    assert len(pallet["releaseEvents"]) == len(pallet["acceptEvents"]) == 1
    assert [each["item"] for each in (await get(story, "/handoffs", status="complete"))["items"]] == [PALLET]
    assert (await get(story, "/handoffs", party=DOCK))["items"] == []
    both = await story.analyst.get("/handoffs?status=complete&status=disputed&status=released")
    assert len(both.json()["items"]) == 2
    assert len((await get(story, "/handoffs", fromParty=FARM, toParty=SHOP))["items"]) == 2
    single = await get(story, f"/handoffs/{quote(pallet['id'], safe='')}")
    assert single == pallet


async def test_a_shortage_is_an_exception_with_its_evidence(story: Service) -> None:
    (case,) = (await get(story, "/exceptions"))["items"]
    assert (case["kind"], case["status"], case["item"]) == ("shortage", "open", LOT)
    assert set(case["parties"]) == {FARM, SHOP}
    assert await get(story, f"/exceptions/{quote(case['id'], safe='')}") == case
    assert (await get(story, "/exceptions", kind="overage"))["items"] == []
    assert (await story.analyst.get(f"/events/{quote(case['event'], safe='')}")).status_code == 200


async def test_a_packed_item_is_where_its_pallet_is(story: Service) -> None:
    item = await get(story, f"/things/{quote(sgtin(1), safe='')}")
    assert (item["place"], item["placeName"], item["holder"], item["parents"]) == (SHELF, "Shop dock", SHOP, [PALLET])
    assert item["events"][0]["eventTime"] > item["events"][-1]["eventTime"]
    pallet = await get(story, f"/things/{quote('urn:epc:id:sscc:0614141.1234567890', safe='')}")
    assert pallet["id"] == PALLET
    assert {each["id"] for each in pallet["contents"]} == {sgtin(1), sgtin(2)}
    lot = await get(story, f"/things/{quote(LOT, safe='')}")
    assert {each["holder"]: each["quantity"] for each in lot["balances"]}[SHOP] == "8"


async def test_a_trace_tells_who_signed_what(story: Service) -> None:
    trace = await get(story, f"/trace/{quote(sgtin(1), safe='')}")
    assert {(node["id"], node["role"]) for node in trace["nodes"]} >= {(sgtin(1), "start"), (PALLET, "carrier")}
    steps = [(each["bizStep"], each["msp"]) for each in trace["events"]]
    assert steps == [
        ("commissioning", "FarmMSP"),
        ("packing", "FarmMSP"),
        ("shipping", "FarmMSP"),
        ("receiving", "ShopMSP"),
    ]
    assert all(each["txId"] and each["block"] and each["recordTime"] for each in trace["events"])
    short = await get(story, f"/trace/{quote(sgtin(1), safe='')}", maxEvents="1")
    assert short["truncated"]


async def test_the_overview_counts(story: Service) -> None:
    overview = await get(story, "/overview")
    assert (overview["events"], overview["handoffs"], overview["openExceptions"]) == (8, 2, {"shortage": 1})


async def test_health_and_metrics_follow_the_work(story: Service) -> None:
    block = (await get(story, "/overview"))["block"]
    health = await get(story, "/health")
    while health["projector"]["checkpoint"] != block:  # the worker reports once a second
        await asyncio.sleep(0.05)
        health = await get(story, "/health")
    assert (health["status"], health["ledger"]["height"], health["projector"]["lagBlocks"]) == ("ok", block + 1, 0)
    assert health["inbox"] == {"jobs": 0, "events": 0, "oldestAgeSeconds": None, "failed": 0, "alarms": 0}
    text = (await story.nobody.get("/metrics")).text
    assert 'lotline_jobs{state="done"} 6.0' in text
    assert 'lotline_http_requests_total{method="POST",route="/capture",status="202"} 2.0' in text
    assert "lotline_worker_up 1.0" in text


async def test_forecasts_of_the_newest_run(service: Service) -> None:
    for answer in (await get(service, "/forecasts"), await get(service, "/disruptions")):
        assert answer == {"items": [], "next": None}
    engine = open_engine(service.settings.readmodel_url)
    when = datetime(2026, 6, 1, tzinfo=UTC)
    save_run(engine, freq="W", horizon=1)
    save_run(
        engine,
        freq="W",
        horizon=2,
        block=7,
        series=[{"unique_id": f"demand/{n}", "kind": "demand", "product": LOT, "n_obs": 52} for n in range(3)],
        forecasts=[
            {"unique_id": f"demand/{n}", "ds": when, "horizon": 1, "y_hat": 5.0 + n, "model": "naive"} for n in range(3)
        ],
        backtests=[{"unique_id": "demand/1", "model": "naive", "metric": "mase", "value": 1.0}],
        late_risks=[
            {"handoff_id": "h1", "probability": 0.2, "reasons": ["slow lane"]},
            {"handoff_id": "h2", "probability": 0.9, "reasons": []},
        ],
        disruptions=[
            {
                "id": "d1",
                "kind": "stock_out",
                "severity": "high",
                "subject": LOT,
                "detail": "x",
                "evidence": ["ni:///x"],
            }
        ],
    )
    engine.dispose()
    page = await get(service, "/forecasts", perPage="2")
    rest = await get(service, "/forecasts", perPage="2", nextPageToken=page["next"])
    assert [each["yHat"] for each in page["items"] + rest["items"]] == [5.0, 6.0, 7.0]
    assert rest["next"] is None
    assert (await get(service, "/forecasts", uniqueId="demand/1"))["items"][0]["ds"] == "2026-06-01T00:00:00Z"
    series = (await get(service, "/forecasts/series", uniqueId="demand/1"))["items"]
    assert series[0]["backtests"] == [{"model": "naive", "metric": "mase", "value": 1.0}]
    assert [run["block"] for run in (await get(service, "/forecasts/runs"))["items"]] == [7, None]
    assert (await get(service, "/disruptions", kind="stock_out"))["items"][0]["evidence"] == ["ni:///x"]
    assert [each["handoffId"] for each in (await get(service, "/disruptions/late"))["items"]] == ["h2", "h1"]
