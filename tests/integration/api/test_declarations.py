"""An event that is declared wrong, as every answer shows it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.api.conftest import DOCK, Service, event, sgtin
from tests.integration.api.test_queries import FARM, LOT, SHOP, get, step

BETWEEN = {
    "sourceList": [{"type": "possessing_party", "source": FARM}],
    "destinationList": [{"type": "possessing_party", "destination": SHOP}],
}
SHIPPED = step("OBSERVE", "shipping", "2026-05-04T11:00:00.000+02:00", DOCK, epcList=[sgtin(1)], **BETWEEN)
SAID = {"declarationTime": "2026-05-05T09:00:00.000Z", "reason": "did_not_occur", "correctiveEventIDs": ["urn:x:1"]}


@pytest.fixture
async def declared(service: Service) -> str:
    """The hash of a shipping that did not occur."""
    client = service.admin
    assert (await client.post("/parties", json={"id": FARM, "name": "Farm"})).status_code == 201
    place = {"id": DOCK, "party": FARM, "name": "Farm dock", "kind": "dock"}
    assert (await client.post("/places", json=place)).status_code == 201
    sent = await service.capture(event(1), SHIPPED)
    assert sent["accepted"] == 2, sent["errors"]
    assert len((await get(service, "/handoffs"))["items"]) == 1
    taken_back = await service.capture({**SHIPPED, "errorDeclaration": SAID})
    assert taken_back["accepted"] == 1, taken_back["errors"]
    return str(sent["verdicts"][1]["event"])


async def results(service: Service, identifier: str) -> tuple[list[Any], list[Any]]:
    found = (await get(service, f"/events/{quote(identifier, safe='')}"))["epcisBody"]["queryResults"]
    return found["resultsBody"]["eventList"], found["lotline:provenance"]


async def test_an_event_comes_with_its_declarations(declared: str, service: Service) -> None:
    events, provenance = await results(service, declared)
    assert [one["eventID"] for one in events] == [declared, declared]  # the declaration has no false hash
    assert ["errorDeclaration" in one for one in events] == [False, True]
    (said,) = provenance[0]["declaredInError"]
    assert (said["event"], said["msp"], said["reason"]) == (provenance[1]["event"], "FarmMSP", "did_not_occur")
    assert said["correctiveEventIDs"] == ["urn:x:1"]
    assert (provenance[1]["declares"], provenance[1]["hash"]) == (declared, declared)
    assert provenance[1]["event"] != declared
    alone, _ = await results(service, provenance[1]["event"])
    assert [one["eventID"] for one in alone] == [declared]


async def test_the_declared_is_listed_and_brings_nothing_about(declared: str, service: Service) -> None:
    assert (await get(service, "/handoffs"))["items"] == []
    trace = await get(service, f"/trace/{quote(sgtin(1), safe='')}")
    assert trace["handoffs"] == []
    by_name = {one["hash"]: one for one in trace["events"]}
    (said,) = by_name[declared]["declaredInError"]
    assert by_name[said["event"]]["declares"] == declared
    thing = await get(service, f"/things/{quote(sgtin(1), safe='')}")
    assert {one["hash"]: bool(one["declaredInError"]) for one in thing["events"]}[declared]
    assert (thing["place"], thing["status"]) == (DOCK, "active")
    found = await get(service, "/events", MATCH_epc=sgtin(1), EQ_bizStep="shipping")
    marks = [one["declaredInError"] != [] for one in found["epcisBody"]["queryResults"]["lotline:provenance"]]
    assert sorted(marks) == [False, True]


async def test_a_declared_making_makes_nothing(service: Service) -> None:
    made = step("ADD", "commissioning", "2026-05-04T09:30:00.000+02:00", DOCK)
    made |= {"quantityList": [{"epcClass": LOT, "quantity": 10, "uom": "KGM"}]}
    assert (await service.capture(made))["accepted"] == 1
    assert (await service.capture({**made, "errorDeclaration": SAID}))["accepted"] == 1
    lot = await get(service, f"/things/{quote(LOT, safe='')}")
    assert [one["made"] for one in lot["massBalance"]] in ([], ["0"])
    assert all(float(one["total"]) == 0 for one in lot["sums"])


async def test_what_else_an_event_is_called_finds_it(service: Service) -> None:
    plain = event(2)
    first = await service.capture(plain)
    again = await service.capture({**plain, "eventID": "urn:uuid:00000000-0000-4000-8000-000000000001"})
    assert (first["accepted"], again["duplicate"]) == (1, 1)
    events, provenance = await results(service, "urn:uuid:00000000-0000-4000-8000-000000000001")
    assert events[0]["eventID"] == first["verdicts"][0]["event"]
    assert provenance[0]["otherEventIDs"] == ["urn:uuid:00000000-0000-4000-8000-000000000001"]
