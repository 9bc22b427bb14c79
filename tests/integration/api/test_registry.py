"""Parties, places and devices over HTTP, and what the registry is good for."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import epcis
from tests.integration.api.conftest import DOCK, Service, bare, document, event, sgtin

FARM = "https://id.gs1.org/417/0614141000005"
PARTY = {"id": FARM, "name": "Green Farm", "country": "DE"}
PLACE = {"id": DOCK, "party": FARM, "name": "Cold store", "kind": "warehouse", "latitude": 48.4, "longitude": 11.7}


def where(collection: str, identifier: str) -> str:
    return f"/{collection}/{quote(identifier, safe='')}"


async def register(service: Service, path: str, body: Any, role: str = "admin") -> Any:
    answer = await service.clients[role].post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer


async def test_what_is_registered_can_be_read_at_once(service: Service) -> None:
    answer = await register(service, "/parties", PARTY)
    assert answer.headers["location"] == where("parties", FARM) == answer.json()["items"][0]["location"]
    party = (await service.scanner.get(answer.headers["location"])).json()
    assert (party["id"], party["name"], party["msp"], party["registered"]) == (FARM, "Green Farm", "FarmMSP", True)
    place = (await service.scanner.get((await register(service, "/places", PLACE)).headers["location"])).json()
    assert (place["party"], place["latitude"], place["kind"]) == (FARM, 48.4, "warehouse")


async def test_urns_are_understood(service: Service) -> None:
    answer = await register(service, "/parties", {"id": "urn:epc:id:pgln:0614141.00000", "name": "Green Farm"})
    assert answer.json()["items"][0]["id"] == FARM
    found = await service.scanner.get(where("parties", "urn:epc:id:pgln:0614141.00000"))
    assert found.json()["id"] == FARM


async def test_many_at_once_are_one_transaction(service: Service) -> None:
    glns = [
        epcis.identifiers.gln(f"9506000{n:05d}" + epcis.identifiers.check_digit(f"9506000{n:05d}")) for n in range(50)
    ]
    await register(service, "/parties", PARTY)
    body = [{"id": gln, "party": FARM, "name": f"Shelf {n}"} for n, gln in enumerate(glns)]
    answer = await register(service, "/places", body)
    assert [item["id"] for item in answer.json()["items"]] == glns
    listed, token = [], None
    while True:
        params = {"perPage": "20", "registered": "true"} | ({"nextPageToken": token} if token else {})
        page = (await service.scanner.get("/places", params=params)).json()
        listed += [item["id"] for item in page["items"]]
        token = page["next"]
        if token is None:
            break
    assert listed == glns


async def test_nobody_registers_what_is_anothers(service: Service) -> None:
    await register(service, "/parties", PARTY)
    answer = await service.shop_admin.post("/parties", json={"id": FARM, "name": "Mine now"})
    assert answer.status_code == 403
    assert "FarmMSP" in answer.json()["detail"]
    assert (await service.scanner.get(where("parties", FARM))).json()["name"] == "Green Farm"


async def test_a_place_needs_its_party(service: Service) -> None:
    answer = await service.admin.post("/places", json=PLACE)
    assert answer.status_code == 404
    assert "register it first" in answer.json()["detail"]


async def test_a_registered_place_is_not_anothers_to_report_from(service: Service) -> None:
    await register(service, "/parties", PARTY)
    await register(service, "/places", PLACE)
    job = await service.capture(event(1), role="shop")
    assert (job["success"], job["rejected"]) == (False, 1)
    assert (await service.capture(event(1)))["accepted"] == 1


def signed(key: Ed25519PrivateKey, device: str, number: int) -> dict[str, Any]:
    """An event as a device signs it: over its hash."""
    body = bare(number)
    value = base64.b64encode(key.sign(epcis.event_hash(body).encode())).decode()
    body["@context"] = [body["@context"], {"lotline": epcis.LOTLINE_NAMESPACE}]
    body["lotline:signature"] = {"device": device, "alg": "Ed25519", "value": value}
    return body


async def test_a_devices_signature_is_checked_and_kept_until_it_is_revoked(service: Service) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    device = {"id": "dock-3", "party": FARM, "algorithm": "Ed25519", "publicKey": pem, "name": "Dock 3"}
    await register(service, "/parties", PARTY)
    await register(service, "/devices", device)
    assert (await service.scanner.get("/devices/dock-3")).json()["status"] == "active"
    answer = await service.scanner.post("/events", json=signed(key, "dock-3", 1))
    assert answer.status_code == 201, answer.text
    found = (await service.analyst.get(answer.headers["location"])).json()["epcisBody"]["queryResults"]
    assert found["lotline:provenance"][0]["device"] == "dock-3"
    forged = await service.scanner.post("/events", json=signed(Ed25519PrivateKey.generate(), "dock-3", 2))
    assert forged.status_code == 422
    assert (await service.admin.post("/devices/revoke", json={"id": "dock-3"})).status_code == 200
    assert (await service.scanner.get("/devices")).json()["items"][0]["status"] == "revoked"
    late = await service.scanner.post("/events", json=signed(key, "dock-3", 3))
    assert late.status_code == 422


async def test_registering_waits_its_turn_behind_scans(service: Service) -> None:
    """One lane: what was sent first is on the ledger first."""
    scans = [(await service.admin.post("/capture", json=document(event(n)))).headers["location"] for n in range(1, 30)]
    block = (await register(service, "/parties", PARTY)).json()["block"]
    jobs = [await service.finished(place, "admin") for place in scans]
    assert max(job["block"] for job in jobs) < block


LOT = "https://id.gs1.org/01/09506000134352/10/L1"


def protection(identifier: str, *organisations: str) -> dict[str, Any]:
    return {"id": identifier, "organisations": list(organisations)}


async def test_things_and_lots_that_organisations_must_agree_to(service: Service) -> None:
    await register(service, "/parties", PARTY)
    shop = {"id": "https://id.gs1.org/417/9506000111117", "name": "Shop"}
    await register(service, "/parties", shop, "shop_admin")
    made = event(2, epcList=[], quantityList=[{"epcClass": LOT, "quantity": 5}])
    assert (await service.capture(event(1), made))["success"]
    body = [protection("urn:epc:id:sgtin:9506000.013435.1", "ShopMSP", "FarmMSP"), protection(LOT, "FarmMSP")]
    answer = await service.admin.post("/things/protect", json=body)
    assert answer.status_code == 200, answer.text
    assert [one["id"] for one in answer.json()["items"]] == [sgtin(1), LOT]
    for item, endorsers in zip(answer.json()["items"], (["FarmMSP", "ShopMSP"], ["FarmMSP"]), strict=True):
        assert (await service.scanner.get(item["location"])).json()["endorsers"] == endorsers
    # it survives what is told of it later
    assert (await service.capture(event(1, bizStep="inspecting", action="OBSERVE")))["success"]
    assert (await service.scanner.get(where("things", sgtin(1)))).json()["endorsers"] == ["FarmMSP", "ShopMSP"]
    stolen = await service.shop_admin.post("/things/protect", json=protection(LOT, "ShopMSP"))
    assert (stolen.status_code, "FarmMSP" in stolen.json()["detail"]) == (403, True)
    dropped = await service.admin.post("/things/protect", json=protection(sgtin(1), "FarmMSP"))
    assert (dropped.status_code, "ShopMSP must agree" in dropped.json()["detail"]) == (403, True)
    passed_on = await service.shop_admin.post("/things/protect", json=protection(sgtin(1), "FarmMSP"))
    assert passed_on.status_code == 200


async def test_no_protection_by_or_of_who_is_not_there(service: Service) -> None:
    missing = await service.admin.post("/things/protect", json=protection(sgtin(9), "FarmMSP"))
    assert (missing.status_code, "there is no thing" in missing.json()["detail"]) == (404, True)
    assert (await service.capture(event(1)))["success"]
    assert (await service.scanner.get(where("things", sgtin(1)))).json()["endorsers"] == []
    unknown = await service.admin.post("/things/protect", json=protection(sgtin(1), "TypoMSP"))
    assert (unknown.status_code, "TypoMSP" in unknown.json()["detail"]) == (404, True)


async def test_administrators_put_a_squatted_registration_right(service: Service) -> None:
    await register(service, "/parties", PARTY, "shop_admin")
    await register(service, "/places", PLACE, "shop_admin")
    assert (await service.admin.post("/parties", json=PARTY)).status_code == 403
    assert (await service.admin.post("/parties/reassign", json={"id": LOT, "msp": "FarmMSP"})).status_code == 400
    assert (await service.scanner.post("/parties/reassign", json={"id": FARM, "msp": "ShopMSP"})).status_code == 403
    answer = await service.admin.post("/parties/reassign", json={"id": FARM, "msp": "FarmMSP"})
    assert answer.status_code == 200, answer.text
    for place in (answer.headers["location"], where("places", DOCK)):
        found = (await service.scanner.get(place)).json()
        assert (found["msp"], found["detail"]["reassigned"]["from"]) == ("FarmMSP", "ShopMSP")
    await register(service, "/parties", PARTY)
    back = await service.admin.post("/places/reassign", json=[{"id": DOCK, "msp": "ShopMSP"}])
    assert (back.status_code, back.json()["items"][0]["location"]) == (200, where("places", DOCK))
    found = (await service.scanner.get(where("places", DOCK))).json()
    assert (found["msp"], found["party"]) == ("ShopMSP", None)
    absent = await service.admin.post("/devices/reassign", json={"id": "dock-9", "msp": "ShopMSP"})
    assert (absent.status_code, "no device dock-9" in absent.json()["detail"]) == (404, True)


async def test_a_place_that_was_only_mentioned_belongs_to_nobody(service: Service) -> None:
    assert (await service.capture(event(1), role="shop"))["success"]
    found = (await service.scanner.get(where("places", DOCK))).json()
    assert (found["registered"], found["msp"], found["detail"]) == (False, None, {})
    assert (await service.scanner.get("/places", params={"registered": "true"})).json()["items"] == []
    await register(service, "/parties", PARTY)
    await register(service, "/places", PLACE)
    assert (await service.scanner.get(where("places", DOCK))).json()["msp"] == "FarmMSP"


async def test_who_has_left_is_struck_out(service: Service) -> None:
    await register(service, "/parties", {"id": "https://id.gs1.org/417/9506000111117", "name": "Shop"}, "shop_admin")
    assert (await service.capture(event(1)))["success"]
    await service.admin.post("/things/protect", json=protection(sgtin(1), "ShopMSP", "FarmMSP"))
    answer = await service.admin.post("/things/release", json={"id": sgtin(1), "organisation": "ShopMSP"})
    assert answer.status_code == 200, answer.text
    assert (await service.scanner.get(where("things", sgtin(1)))).json()["endorsers"] == ["FarmMSP"]
    again = await service.admin.post("/things/release", json={"id": sgtin(1), "organisation": "ShopMSP"})
    assert again.status_code == 404


async def test_everybodys_words_about_a_product(service: Service) -> None:
    product = "https://id.gs1.org/01/09506000134352"
    salmon = {"id": "urn:epc:idpat:sgtin:9506000.013435.*", "kind": "product", "name": "Salmon"}
    answer = await service.scanner.post("/descriptions", json=[{**salmon, "attributes": {"urn:x:net": "200 g"}}])
    assert answer.status_code == 201, answer.text
    location = answer.headers["location"]
    assert (await service.shop_admin.post("/descriptions", json={**salmon, "name": "Trout"})).status_code == 201
    found = (await service.scanner.get(location)).json()["items"]
    assert [(one["id"], one["msp"], one["name"], one["attributes"]) for one in found] == [
        (product, "FarmMSP", "Salmon", {"urn:x:net": "200 g"}),
        (product, "ShopMSP", "Trout", {}),
    ]
    assert (await service.scanner.get(where("descriptions", sgtin(1)))).status_code == 404
    for wrong in (
        {**salmon, "kind": "fish"},
        {**salmon, "name": " "},
        {**salmon, "id": "https://id.gs1.org/01/09506000134350"},
    ):
        assert (await service.scanner.post("/descriptions", json=wrong)).status_code == 400
    assert (await service.analyst.post("/descriptions", json=salmon)).status_code == 403


async def test_a_company_prefix_that_two_organisations_use_is_shown(service: Service) -> None:
    await register(service, "/parties", PARTY)
    await register(service, "/places", PLACE)
    other = epcis.identifiers.pgln("061414100002" + epcis.identifiers.check_digit("061414100002"))
    await register(service, "/parties", {"id": other, "name": "A neighbour"}, "shop_admin")
    own = epcis.identifiers.pgln("9506000111117")
    await register(service, "/parties", {"id": own, "name": "Shop"}, "shop_admin")
    found = (await service.analyst.get("/prefixes")).json()["items"]
    assert [(one["organisations"], one["contested"]) for one in found] == [
        ({"FarmMSP": 2, "ShopMSP": 1}, True),
        ({"ShopMSP": 1}, False),
    ]
    assert found[0]["prefix"].startswith("0614141")
