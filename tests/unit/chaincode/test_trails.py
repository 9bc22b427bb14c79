"""Trails: every event that names a thing extends its trail, whatever was sent beside it and however it was batched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaincode import keys
from epcis import parse_value
from epcis.trails import digest, extended, named_classes, named_instances
from tests.effort import examples
from tests.unit.chaincode.peer import A, B, Peer, at, commission, event, item, lot, pallet, place, quantities

_TIE = "urn:uuid:0197c3a2-5b1e-7c33-9f6c-3a3a5a0f7e11"


def _without_n(value: bytes) -> bytes:
    record = orjson.loads(value)
    return value.replace(f'"n":{record["n"]},"party"'.encode(), b'"party"')


def _events(peer: Peer) -> dict[str, bytes]:
    return {key: _without_n(value) for key, value in peer.state.items() if key.startswith("\x00EV\x00")}


def trails(peer: Peer) -> dict[str, list[Any]]:
    """Every trail, by key."""
    found = {}
    for key, value in peer.state.items():
        if key.startswith(("\x00TH\x00", "\x00TR\x00")):
            found[key] = json.loads(value)["trail"]
    return found


def _head(records: Iterator[bytes] | list[bytes]) -> str:
    head = ""
    for record in records:
        head = extended(head, digest(record))
    return head


def _record(peer: Peer, n: int) -> bytes:
    """The record of the n-th event that this peer took last."""
    written = [_without_n(value) for key, value in peer.last.writes.items() if key.startswith("\x00EV\x00") and value]
    return next(record for record in written if orjson.loads(peer.last.writes[_key(peer, record)])["n"] == n)  # type: ignore[arg-type]


def _key(peer: Peer, record: bytes) -> str:
    return next(key for key, value in _events(peer).items() if value == record)


def _story() -> list[dict[str, Any]]:
    """Packing, shipping, a lot, a transformation, an association, a document, a declaration of error."""
    seen = event("ObjectEvent", 3, "inspecting", action="OBSERVE", epcList=[item(1)])
    return [
        commission(0, item(1), item(2), ilmd={"cbvmda:lotNumber": "L1"}),
        commission(1, pallet(1)),
        event("AggregationEvent", 2, "packing", action="ADD", parentID=pallet(1), childEPCs=[item(1), item(2)]),
        seen,
        {**seen, "errorDeclaration": {"declarationTime": at(4), "reason": "incorrect_data"}},
        event("ObjectEvent", 5, "commissioning", action="ADD", quantityList=quantities({lot("L2"): 5})),
        event(
            "TransformationEvent",
            6,
            "creating_class_instance",
            transformationID=_TIE,
            inputQuantityList=quantities({lot("L2"): 2}),
        ),
        event("TransformationEvent", 7, "creating_class_instance", transformationID=_TIE, outputEPCList=[item(3)]),
        event("AssociationEvent", 8, "installing", action="ADD", parentID=place(9), childEPCs=[item(3)]),
        event(
            "TransactionEvent",
            9,
            None,
            action="ADD",
            epcList=[item(4)],
            bizTransactionList=[{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:9506000000018:D1"}],
        ),
    ]


def _named(event: dict[str, Any]) -> set[str]:
    read = parse_value(event)
    return {*named_instances(read), *named_classes(read)}


def test_a_trail_has_every_event_that_names_the_thing_in_the_order_of_the_ledger() -> None:
    peer, taken = Peer(), []
    for one in _story():
        peer.accept(one)
        taken.append(_record(peer, 0))
    expected: dict[str, list[bytes]] = {}
    for record in taken:
        for uri in _named(orjson.loads(record)["event"]):
            expected.setdefault(uri, []).append(record)
    found = {key[1:-1].split("\x00")[1]: trail for key, trail in trails(peer).items()}
    assert found == {uri: [len(records), _head(records)] for uri, records in expected.items()}
    assert {lot("L1"), lot("L2"), _TIE, place(9), item(4), pallet(1)} <= found.keys()
    assert found[item(1)][0] == 4  # the declaration of error is one of them


@settings(max_examples=examples(40), deadline=None)
@given(data=st.data())
def test_batching_changes_no_trail(data: st.DataObject) -> None:
    together, apart = Peer(), Peer()
    story = _story()
    together.accept(*story)
    while story:
        many = data.draw(st.integers(1, len(story)))
        apart.accept(*story[:many])
        story = story[many:]
    assert trails(together) == trails(apart)
    assert _events(together) == _events(apart)


@settings(max_examples=examples(40), deadline=None)
@given(data=st.data())
def test_what_is_said_of_other_things_changes_no_trail(data: st.DataObject) -> None:
    """Two stories that share nothing, told in any order between each other."""
    others = [
        commission(0, item(71), item(72), site=B),
        event("AggregationEvent", 2, "packing", B, action="ADD", parentID=pallet(7), childEPCs=[item(71)]),
        event("ObjectEvent", 3, "commissioning", B, action="ADD", quantityList=quantities({lot("L7"): 5})),
    ]
    alone, mixed = Peer(), Peer()
    alone.accept(*_story())
    alone.accept(*others, msp="BMSP")
    mine, theirs = _story(), list(others)
    while mine or theirs:
        if mine and (not theirs or data.draw(st.booleans())):
            mixed.accept(mine.pop(0))
        else:
            mixed.accept(theirs.pop(0), msp="BMSP")
    assert trails(mixed) == trails(alone)


def test_what_is_refused_rolled_back_or_known_already_is_in_no_trail() -> None:
    peer = Peer()
    peer.accept(commission(0, item(1)))
    before = trails(peer)
    assert peer.capture(commission(0, item(1)))[0]["verdict"] == "duplicate"
    peer.refuse(commission(1, item(1)))
    seen = event("ObjectEvent", 2, "inspecting", action="OBSERVE", epcList=[item(1)])
    peer.capture(seen, commission(3, item(1)), on_error="rollback")
    assert trails(peer) == before


def test_a_thing_named_twice_is_named_once() -> None:
    peer = Peer()
    peer.accept(event("AggregationEvent", 2, "packing", action="ADD", parentID=pallet(1), childEPCs=[item(1), item(1)]))
    assert trails(peer)[keys.thing(item(1))][0] == 1


def test_two_writers_of_a_lot_share_no_key_and_a_renewed_certificate_is_the_same_writer() -> None:
    peer = Peer()
    sold = [
        event("ObjectEvent", hour, "inspecting", site, action="OBSERVE", quantityList=quantities({lot("L"): 1}))
        for hour, site in ((1, A), (2, B), (3, A))
    ]
    peer.accept(sold[0])
    peer.accept(sold[1], msp="BMSP")
    peer.capture(sold[2], msp="AMSP", serial="other certificate")  # other attributes, another key and certificate
    found = [trail[0] for key, trail in trails(peer).items() if key.startswith("\x00TR\x00")]
    assert sorted(found) == [1, 2]


@pytest.mark.parametrize("uri", [item(1), lot("L")])
def test_a_ledger_that_is_older_than_trails_goes_on_and_says_so(uri: str) -> None:
    peer = Peer()
    said = {"quantityList": quantities({uri: 1})} if uri == lot("L") else {"epcList": [uri]}
    peer.accept(event("ObjectEvent", 1, "inspecting", action="OBSERVE", **said))
    for key in [key for key in peer.state if key.startswith("\x00TR\x00")]:
        del peer.state[key]
    for key in (keys.thing(uri), keys.lot(uri)):
        if key in peer.state:
            record = peer.get(key)
            peer.state[key] = orjson.dumps({name: record[name] for name in record if name not in ("trail", "trails")})
    peer.accept(event("ObjectEvent", 2, "inspecting", action="OBSERVE", **said))
    peer.accept(event("ObjectEvent", 3, "inspecting", action="OBSERVE", **said))
    (trail,) = trails(peer).values()
    assert trail[0] == 2
    assert trail[2:] == ["older"]


def test_nothing_is_named_both_ways() -> None:
    """So a verifier need not ask for the trails of a single thing as if it were a kind of things (``proofs.walk.needed``)."""
    as_class = event("ObjectEvent", 1, "inspecting", action="OBSERVE", quantityList=quantities({item(1): 1}))
    assert Peer().refuse(as_class) == "instance_in_quantity_list"
    as_thing = event("ObjectEvent", 1, "inspecting", action="OBSERVE", epcList=[lot("X")])
    assert Peer().refuse(as_thing) == "class_in_epc_list"
