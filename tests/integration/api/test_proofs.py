"""``?proof=1``: what the API answers is verified with the organisations' roots and nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from proofs import ProofError, Roots, Verdict, verify
from readmodel.engine import open_engine
from tests.integration.api.conftest import PALLET, Service, sgtin
from tests.integration.api.test_queries import LOT, get, story

__all__ = ["story"]


def _roots(service: Service) -> Roots:
    folders = (service.settings.ledger_dir / "organisations").iterdir()
    return Roots(
        {
            one.name: [(one / "ca.pem").read_bytes()]
            for one in folders
            if one.name.endswith("MSP") and one.name != "OrdererMSP"
        }
    )


async def _prove(service: Service, path: str, **parameters: Any) -> Verdict:
    answer = await service.analyst.get(path, params={"proof": "1", **parameters})
    assert answer.status_code == 200, answer.text
    assert "proof.json" in answer.headers["content-disposition"]
    return verify(answer.content, _roots(service), nonce=parameters.get("nonce"))


async def test_every_kind_of_answer_is_proven(story: Service) -> None:
    trace = await get(story, f"/trace/{quote(sgtin(1), safe='')}")
    found = await _prove(story, f"/trace/{quote(sgtin(1), safe='')}", nonce="nobody-has-asked-so")
    assert set(found.organisations) == {"FarmMSP", "ShopMSP"}
    assert {node["id"] for node in trace["nodes"]} <= dict(found.nodes).keys()
    assert len(trace["events"]) <= len(found.events)
    whole = await _prove(story, f"/things/{quote(LOT, safe='')}")
    assert whole.records["lot"][LOT]["id"] == LOT
    (handoff,) = (await get(story, "/handoffs", item=LOT))["items"]
    proven = await _prove(story, f"/handoffs/{handoff['id']}")
    assert proven.records["handoff"][handoff["id"]]["status"] == handoff["status"] == "disputed"
    (fault,) = (await get(story, "/exceptions", item=LOT, kind="shortage"))["items"]
    dispute = await _prove(story, f"/exceptions/{fault['id']}")
    assert dispute.records["exception"][fault["id"]]["kind"] == "shortage"


async def test_what_is_cut_off_has_no_proof(story: Service) -> None:
    answer = await story.analyst.get(f"/trace/{quote(PALLET, safe='')}", params={"proof": "1", "maxNodes": "1"})
    assert answer.status_code == 400
    assert "cut off" in answer.json()["detail"]


@pytest.mark.parametrize("nonce", ["short", "x" * 201, "with space", "ümlaut-nonce"])
async def test_a_nonce_is_a_nonce(story: Service, nonce: str) -> None:
    answer = await story.analyst.get(f"/things/{quote(LOT, safe='')}", params={"proof": "1", "nonce": nonce})
    assert answer.status_code == 400


async def test_every_answer_says_as_of_which_block_it_is(story: Service) -> None:
    engine = open_engine(story.settings.readmodel_url)
    with engine.connect() as connection:
        block = connection.exec_driver_sql("SELECT max(number) FROM block").scalar_one()
    engine.dispose()
    for path in (f"/things/{quote(LOT, safe='')}", "/handoffs", "/events", f"/trace/{quote(LOT, safe='')}"):
        answer = await story.analyst.get(path)
        assert int(answer.headers["lotline-block"]) == block, path


async def test_a_proof_for_another_is_refused(story: Service) -> None:
    answer = await story.analyst.get(f"/things/{quote(LOT, safe='')}", params={"proof": "1"})
    with pytest.raises(ProofError, match="question"):
        verify(answer.content, _roots(story), start=sgtin(1))
