"""Attempts that the contract refused reach those whom they concern."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from readmodel import Projector
from readmodel.queries import refusals
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder
from tests.pipeline import Pipeline
from tests.unit.chaincode.peer import A, B, commission, item


def _pipeline(engine: Engine) -> Pipeline:
    pipeline = Pipeline(engine)
    pipeline.call("registerParty", {"id": A[1], "name": "Maker"}, "AMSP")
    pipeline.call("registerPlace", {"id": A[0], "party": A[1]}, "AMSP")
    pipeline.capture(orjson.dumps([commission(1, item(1))]), "AMSP")
    return pipeline


def test_a_second_making_is_told_to_the_maker(engine: Engine) -> None:
    pipeline = _pipeline(engine)
    again = commission(2, item(1), site=B)
    other = commission(3, item(2), site=B)
    pipeline.capture(orjson.dumps([other, again]), "BMSP", on_error="rollback")
    pipeline.project()
    with engine.connect() as connection:
        (one,) = refusals(connection).items
        assert refusals(connection, party=A[1]).items == [one]
        assert refusals(connection, item=item(1), code="already_commissioned", msp="BMSP").items == [one]
        assert refusals(connection, party=c.party(9)).items == []
        assert refusals(connection, organisation="AMSP").items == []
        assert connection.execute(text(f"SELECT count(*) FROM thing WHERE uri = '{item(2)}'")).scalar() == 0
    assert (one.code, one.item, one.parties, one.organisations, one.msp) == (
        "already_commissioned",
        item(1),
        [A[1]],
        [],
        "BMSP",
    )
    assert one.detail
    assert one.event is not None
    assert one.submitter is not None
    assert one.id == f"{one.tx_id}-1"  # the second of the transaction; the first was only taken back with it


def test_pages_of_refusals(engine: Engine) -> None:
    pipeline = _pipeline(engine)
    for hours in range(2, 9):
        pipeline.capture(orjson.dumps([commission(hours, item(1), site=B)]), "BMSP")
    pipeline.project()
    with engine.connect() as connection:
        everything = refusals(connection).items
        first = refusals(connection, per_page=4)
        second = refusals(connection, per_page=4, token=first.next)
    assert len(everything) == 7
    assert [*first.items, *second.items] == everything
    assert second.next is None


ODD: list[Any] = [
    b"rejected",
    b'{"groups":"rejected"}',
    b'{"groups":[{"events":[],"verdicts":"rejected"}]}',
    b'{"groups":[{"events":["ab"],"verdicts":[{"n":1,"verdict":"rejected","code":"x"}]}]}',
    b'{"groups":[{"events":["ab"],"verdicts":[{"n":true,"verdict":"rejected","code":"x"}]}]}',
    b'{"groups":[{"events":["ab"],"verdicts":[{"n":0,"verdict":"rejected","code":5}]}]}',
    b'{"groups":[{"events":["ab"],"verdicts":[{"n":0,"verdict":"rejected","code":"x","parties":[5]}]}]}',
]


@pytest.mark.parametrize("answer", ODD)
def test_an_answer_that_cannot_be_read_is_set_aside(engine: Engine, answer: bytes) -> None:
    chain = ChainBuilder()
    block = chain.capture(c.object_event(1, epcList=[c.item(1)]))
    block.transactions[0].response_payload = (
        answer.replace(b"rejected", b'"rejected"') if answer == b"rejected" else answer
    )
    Projector(engine).apply(chain.blocks)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT n, kind, size FROM quarantine")).all()
        assert connection.execute(text("SELECT count(*) FROM event")).scalar() == 1
    assert [tuple(row) for row in found] == [(-1, "answer", len(block.transactions[0].response_payload))]


def test_an_answer_of_the_first_days_lists_all_verdicts(engine: Engine) -> None:
    chain = ChainBuilder()
    block = chain.capture(c.object_event(1, epcList=[c.item(1)]))
    verdicts = [
        {"verdict": "accepted"},
        {"verdict": "rejected", "code": "ended"},
        {"verdict": "rejected", "code": "rolled_back"},
    ]
    block.transactions[0].response_payload = orjson.dumps({"groups": [{"verdicts": verdicts}]})
    Projector(engine).apply(chain.blocks)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT n, code, event FROM refusal")).all()
    assert [tuple(row) for row in found] == [(1, "ended", None)]


def test_what_another_contract_on_the_channel_answers_is_not_ours(engine: Engine) -> None:
    chain = ChainBuilder()
    for name in ("lotline", "another"):
        block = chain.capture(c.object_event(len(name), epcList=[c.item(1)]))
        verdicts = [{"verdict": "rejected", "code": "ended", "n": 0}]
        block.transactions[0].response_payload = orjson.dumps({"groups": [{"events": ["ab"], "verdicts": verdicts}]})
        block.transactions[0].chaincode = name
    Projector(engine).apply(chain.blocks)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM refusal")).scalar() == 1
