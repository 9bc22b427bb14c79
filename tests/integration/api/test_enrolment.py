"""A device by its whole life: enrolled by a code, signing, odd, explained, succeeded, revoked."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import ec

from epcis import parse_event
from tests.integration.api.conftest import DOCK, Service, event, sgtin
from tests.integration.api.test_queries import FARM
from tests.unit.chaincode.test_device_chains import OTHER, P256, Reader, raw_signature
from tests.unit.chaincode.test_signatures import public

WANTED = {"party": FARM, "place": DOCK, "name": "Handheld 3"}


def asking(code: str, key: ec.EllipticCurvePrivateKey = P256, **more: Any) -> dict[str, Any]:
    proof = base64.b64encode(raw_signature(key, f"lotline-enrol/1\n{code}".encode())).decode()
    return {"code": code, "algorithm": "ES256", "publicKey": public(key), "proof": proof, **more}


async def code_of(service: Service, **changes: Any) -> str:
    answer = await service.admin.post("/enrolments", json={**WANTED, **changes})
    assert answer.status_code == 201, answer.text
    assert answer.json()["url"] == f"/scan#enrol={answer.json()['code']}"
    return str(answer.json()["code"])


async def enrolled(service: Service) -> tuple[Reader, dict[str, str]]:
    assert (await service.admin.post("/parties", json={"id": FARM, "name": "Farm"})).status_code == 201
    assert (await service.admin.post("/places", json={"id": DOCK, "party": FARM, "name": "Dock"})).status_code == 201
    answer = await service.nobody.post("/enrol", json=asking(await code_of(service)))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["party"], told["place"], told["name"], told["registered"]) == (FARM, DOCK, "Handheld 3", True)
    return Reader(P256, told["device"]), {"Authorization": f"Bearer {told['token']}"}


async def test_a_device_enrols_signs_and_is_told_apart(service: Service) -> None:
    reader, headers = await enrolled(service)
    first, second, third = (reader.sign(event(n), at="2026-05-05T00:00:00Z") for n in (1, 2, 3))
    for one in (first, third):
        answer = await service.nobody.post("/events", json=one, headers=headers)
        assert answer.status_code == 201, answer.text
    device = (await service.admin.get(f"/devices/{quote(reader.id, safe='')}")).json()
    assert (device["status"], device["counter"], device["missing"], device["place"]) == ("active", 3, 1, DOCK)
    assert device["receivedAt"] is not None
    open_ones = (await service.analyst.get("/exceptions", params={"status": "open"})).json()["items"]
    assert [one["kind"] for one in open_ones if one["kind"].startswith("device")] == ["device_gap"]
    assert (await service.nobody.post("/events", json=second, headers=headers)).status_code == 201
    clone = Reader(P256, reader.id)
    clone.sign(event(1), at="2026-05-05T00:00:00Z")
    answer = await service.nobody.post(
        "/events", json=clone.sign(event(50), at="2026-05-05T00:00:00Z"), headers=headers
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "device_fork")
    explained = await service.admin.post("/devices/explain", json={"id": reader.id, "why": "restored from a copy"})
    assert explained.status_code == 201 or explained.status_code == 200, explained.text
    open_ones = (await service.analyst.get("/exceptions", params={"status": "open"})).json()["items"]
    assert not [one for one in open_ones if one["kind"].startswith("device")]


async def test_revoked_its_token_ends_and_what_was_before_is_kept(service: Service) -> None:
    reader, headers = await enrolled(service)
    before, after = reader.sign(event(1), at="2026-05-05T00:00:00Z"), reader.sign(event(2), at="2026-05-07T00:00:00Z")
    body = {"id": reader.id, "since": "2026-05-06T00:00:00Z", "why": "stolen from the van"}
    assert (await service.admin.post("/devices/revoke", json=body)).status_code in (200, 201)
    assert (await service.nobody.post("/events", json=before, headers=headers)).status_code == 401
    job = await service.capture(before)
    assert job["accepted"] == 1, job
    answer = await service.scanner.post("/events", json=after)
    assert answer.json()["errors"][0]["code"] == "device_revoked"
    device = (await service.admin.get(f"/devices/{quote(reader.id, safe='')}")).json()
    assert (device["status"], device["why"], device["revokedSince"][:19]) == (
        "revoked",
        "stolen from the van",
        "2026-05-06T00:00:00",
    )
    again = await service.nobody.post("/enrol", json=asking(await code_of(service)))
    assert again.status_code in (409, 422), again.text


async def test_a_code_is_good_once(service: Service) -> None:
    code = await code_of(service)
    first = await service.nobody.post("/enrol", json=asking(code))
    assert first.status_code == 201, first.text
    stolen = await service.nobody.post("/enrol", json=asking(code, OTHER))
    assert (stolen.status_code, "another device" in stolen.json()["detail"]) == (403, True)
    again = await service.nobody.post("/enrol", json=asking(code))  # its answer was lost
    assert again.status_code == 201
    for token, status in ((first.json()["token"], 401), (again.json()["token"], 200)):
        assert (
            await service.nobody.get("/devices", headers={"Authorization": f"Bearer {token}"})
        ).status_code == status


async def test_what_is_no_code_or_no_proof(service: Service) -> None:
    code = await code_of(service)
    assert (await service.nobody.post("/enrol", json=asking("enr_nothing"))).status_code == 403
    assert (await service.nobody.post("/enrol", json={**asking(code), "publicKey": public(OTHER)})).status_code == 400
    assert (await service.nobody.post("/enrol", json={**asking(code), "proof": "x"})).status_code == 400
    assert (await service.nobody.post("/enrol", json={**asking(code), "publicKey": "x"})).status_code == 400
    assert (await service.scanner.post("/enrolments", json=WANTED)).status_code == 403
    assert (await service.nobody.post("/enrolments", json=WANTED)).status_code == 401
    for change in ({"party": DOCK}, {"place": FARM}, {"minutes": 0}, {"minutes": 10**9}, {"name": ""}):
        assert (await service.admin.post("/enrolments", json={**WANTED, **change})).status_code == 400, change


async def test_an_old_code_is_none(service: Service) -> None:
    code = await code_of(service)
    with service.app.state.tokens.writing() as connection:
        connection.execute("UPDATE enrolment SET expires_at = '2020-01-01T00:00:00.000Z'")
    answer = await service.nobody.post("/enrol", json=asking(code))
    assert (answer.status_code, "too old" in answer.json()["detail"]) == (403, True)


async def test_another_organisations_place_gives_the_code_back(service: Service) -> None:
    assert (await service.shop_admin.post("/parties", json={"id": FARM, "name": "Mine"})).status_code == 201
    code = await code_of(service)
    for _ in range(2):
        answer = await service.nobody.post("/enrol", json=asking(code))
        assert answer.status_code in (403, 422), answer.text


async def test_a_place_that_demands_signatures(service: Service) -> None:
    reader, headers = await enrolled(service)
    body = {"id": DOCK, "party": FARM, "name": "Dock", "signed": True}
    assert (await service.admin.post("/places", json=body)).status_code == 201
    job = await service.capture(event(7))
    assert [error["errors"][0]["code"] for error in job["errors"]] == ["unsigned"]
    signed = reader.sign(event(7), at="2026-05-05T00:00:00Z")
    assert (await service.nobody.post("/events", json=signed, headers=headers)).status_code == 201
    assert parse_event(signed).epc_list == [sgtin(7)]
