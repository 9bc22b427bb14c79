"""Names and other words about products, places and parties: everybody's own, within bounds, and without power."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaincode import keys
from tests.unit.chaincode.peer import GTIN, Peer, commission, item, lot, party, place

PRODUCT = f"https://id.gs1.org/01/{GTIN}"
SALMON = {
    "id": PRODUCT,
    "kind": "product",
    "name": "Salmon",
    "attributes": {"urn:epcglobal:cbv:mda#netContent": "200 g"},
}


def captured(peer: Peer, *events: dict[str, Any], data: Any, on_error: str = "rollback", msp: str = "AMSP") -> Any:
    group = {"id": "g", "onError": on_error, "events": list(events), "masterData": data}
    return peer.call("capture", {"groups": [group]}, msp)


def test_everybodys_word_stands_beside_everybody_elses() -> None:
    peer = Peer()
    assert json.loads(peer.call("describe", SALMON).payload) == {"described": [PRODUCT]}
    assert peer.call("describe", {**SALMON, "name": "Trout"}, "BMSP", "scanner").status == 200
    assert peer.get(keys.master_data(PRODUCT, "AMSP")) == {**SALMON, "msp": "AMSP", "v": 2}
    assert peer.get(keys.master_data(PRODUCT, "BMSP"))["name"] == "Trout"
    assert peer.call("describe", [{"id": PRODUCT, "kind": "product"}]).status == 200
    assert peer.get(keys.master_data(PRODUCT, "AMSP")) == {
        "id": PRODUCT, "kind": "product", "attributes": {}, "msp": "AMSP", "v": 2,
    }  # fmt: skip


def test_the_same_again_writes_nothing() -> None:
    peer = Peer()
    peer.call("describe", SALMON)
    assert peer.call("describe", SALMON).status == 200
    assert peer.last.writes == {}


def test_it_comes_with_a_document_and_falls_with_it() -> None:
    peer, wrong = Peer(), commission(2, "https://id.gs1.org/01/09506000134350/21/1")
    assert captured(peer, commission(1, item(1)), wrong, data=[SALMON]).status == 200
    assert peer.state == {}
    assert captured(peer, commission(1, item(1)), wrong, data=[SALMON], on_error="proceed").status == 200
    assert peer.get(keys.master_data(PRODUCT, "AMSP"))["name"] == "Salmon"
    assert captured(peer, data=[{**SALMON, "name": "Smoked salmon"}]).status == 200  # without any event
    assert peer.get(keys.master_data(PRODUCT, "AMSP"))["name"] == "Smoked salmon"


def test_of_two_groups_one_may_fall() -> None:
    peer, wrong = Peer(), commission(2, "https://id.gs1.org/01/09506000134350/21/1")
    groups = [
        {"id": "1", "events": [commission(1, item(1))], "masterData": [SALMON]},
        {
            "id": "2",
            "events": [wrong],
            "masterData": [{**SALMON, "name": "no"}, {**SALMON, "id": place(1), "kind": "place"}],
        },
    ]
    assert peer.call("capture", {"groups": groups}).status == 200
    assert [record["name"] for record in peer.all("MD")] == ["Salmon"]


def test_one_spelling_of_an_identifier() -> None:
    peer = Peer()
    peer.call("describe", {"id": "urn:epc:idpat:sgtin:9506000.013435.*", "kind": "product"})
    peer.call(
        "describe", {"id": f"urn:epc:id:sgln:{place(1)[-13:-6]}.{place(1)[-6:-1]}.0", "kind": "place", "name": "Dock"}
    )
    assert place(1) in {record["id"] for record in peer.all("MD")}


def test_it_gives_no_power() -> None:
    """A party, a place and a lot that somebody described are still free, and a stranger's words change no verdict."""
    plain, described = Peer(), Peer()
    words = [{"id": uri, "kind": "other", "name": "mine"} for uri in (party(1), place(1), lot(1), item(1))]
    assert described.call("describe", words, "BMSP").status == 200
    for peer in (plain, described):
        assert peer.call("registerParty", {"id": party(1), "name": "A"}).status == 200
        assert peer.call("registerPlace", {"id": place(1), "party": party(1)}).status == 200
        peer.accept(commission(1, item(1)))
        assert peer.call("protect", {"thing": item(1), "organisations": ["BMSP"]}, "BMSP").status == 403
    left = {key: value for key, value in described.state.items() if key[1:3] != "MD"}
    assert left == plain.state


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {},
        {"id": PRODUCT},
        {"id": PRODUCT, "kind": "thing"},
        {"id": "", "kind": "other"},
        {"id": 7, "kind": "other"},
        {"id": "a\x00b", "kind": "other"},
        {"id": "x" * 201, "kind": "other"},
        {"id": PRODUCT, "kind": ["product"]},
        {**SALMON, "name": " "},
        {**SALMON, "name": "n" * 501},
        {**SALMON, "attributes": ["a"]},
        {**SALMON, "attributes": {"a": 1}},
        {**SALMON, "attributes": {"a": ""}},
        {**SALMON, "attributes": {"a": "x\x00"}},
        {**SALMON, "attributes": {"": "a"}},
        {**SALMON, "attributes": {"a": "x" * 4001}},
        {**SALMON, "attributes": {str(n): "a" for n in range(101)}},
        {**SALMON, "colour": "red"},
    ],
)
def test_what_is_no_description(entry: Any) -> None:
    peer = Peer()
    for answer in (peer.call("describe", [entry]), captured(peer, commission(1, item(1)), data=[SALMON, entry])):
        assert (answer.status, peer.state) == (400, {}), answer.message
    assert "masterData 1" in answer.message


def test_too_many_at_once() -> None:
    peer = Peer()
    many = [{"id": item(n), "kind": "other"} for n in range(1001)]
    assert peer.call("describe", many).status == 413
    assert captured(peer, data=many).status == 413
    assert peer.call("describe", many[:1000]).status == 200
    assert captured(peer, data={}).status == 400
    assert captured(peer, data=None).status == 200


@pytest.mark.parametrize("role", ["analyst", "auditor", "none"])
def test_who_may_describe(role: str) -> None:
    peer = Peer()
    assert (peer.call("describe", SALMON, role=role).status, peer.state) == (403, {})
