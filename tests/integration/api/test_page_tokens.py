"""A page token is good for the next page of the same query by the same caller, and for nothing else."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import Service, event, sgtin

LISTS = (
    "/events", "/handoffs", "/exceptions", "/parties", "/places", "/devices", "/disruptions", "/disruptions/late",
    "/forecasts", "/forecasts/series", "/capture", "/refusals", "/quarantine",
)  # fmt: skip
KEYS: list[Any] = [
    [0], [1, 2], [0, 0, 0], [1, 2**60, 1], [1, -(2**60), 1], [2**63 - 1] * 3, [2**70, 0, 0], [True] * 3, [1.0] * 3, ["a"],
    [], {}, None, "x", [1] * 100,
]  # fmt: skip
TEXTS = ["", "0", "7fffffffffffffff", "-1", " 1", "A" * 500, "\x00", "====", "é", "\ud7ff"]


@pytest.mark.parametrize("path", LISTS)
async def test_forged_tokens_are_bad_input(idle_service: Service, path: str) -> None:
    forged = [base64.urlsafe_b64encode(json.dumps(key).encode()).rstrip(b"=").decode() for key in KEYS]
    for token in [*forged, *TEXTS]:
        answer = await idle_service.admin.get(path, params={"nextPageToken": token})
        assert answer.status_code == 400, (token, answer.text)
        assert answer.json()["errors"][0]["field"] == "nextPageToken"


def _token(answer: httpx.Response) -> str:
    found = re.search(r"nextPageToken=([^&>]+)", answer.headers["link"])
    assert found is not None
    return found[1]


async def test_a_token_belongs_to_its_query_and_its_caller(service: Service) -> None:
    await service.capture(*(event(number) for number in range(1, 6)))
    query = {"EQ_bizStep": "commissioning", "orderBy": "eventTime"}
    token = _token(await service.analyst.get("/events", params={**query, "perPage": "2"}))
    following = {**query, "nextPageToken": token}
    for per_page in ("1", "2", "100"):  # how much of it is the caller's to choose
        assert (await service.analyst.get("/events", params={**following, "perPage": per_page})).status_code == 200
    reordered = dict(reversed(following.items()))
    assert (await service.analyst.get("/events", params=reordered)).status_code == 200
    for changed in (
        {"nextPageToken": token},
        {**following, "EQ_bizStep": "shipping"},
        {**following, "orderBy": "recordTime"},
        {**following, "MATCH_epc": sgtin(1)},
    ):
        assert (await service.analyst.get("/events", params=changed)).status_code == 400
    assert (await service.auditor.get("/events", params=following)).status_code == 400
    for spoilt in (token[:-1], token[1:], token.swapcase()):
        assert (await service.analyst.get("/events", params={**following, "nextPageToken": spoilt})).status_code == 400


async def test_a_token_does_not_tell_how_many_jobs_others_have(service: Service) -> None:
    for number in range(1, 4):
        await service.capture(event(number))
    token = (await service.scanner.get("/capture", params={"perPage": "1"})).json()["next"]
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert re.search(rb"\[\d+\]", raw) is None
    assert (await service.scanner.get("/capture", params={"perPage": "1", "nextPageToken": token})).status_code == 200
    assert (await service.shop.get("/capture", params={"nextPageToken": token})).status_code == 400
