"""Master data of a document: who and what its events are about, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaincode import master_data as contract
from epcis import Document, parse_document
from epcis.master_data import CHILDREN
from tests.unit.epcis import samples

GLN = "https://id.gs1.org/414/4012345000054"
NAME = "urn:epcglobal:cbv:mda#name"


def _vocabulary(kind: str, *elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "vocabularyElementList": list(elements)}


def _document(*vocabularies: dict[str, Any]) -> Document:
    header = {"epcisMasterData": {"vocabularyList": list(vocabularies)}}
    return parse_document({**samples.document(samples.AGGREGATION), "epcisHeader": header})


def _said(identifier: str, *attributes: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": identifier, "attributes": [{"id": name, "attribute": value} for name, value in attributes], **more}


def test_places_products_and_parties() -> None:
    found = _document(
        _vocabulary("urn:epcglobal:epcis:vtype:BusinessLocation", _said("urn:epc:id:sgln:4012345.00005.0", (NAME, "Cold store"))),
        _vocabulary("epcis:EPCClass", _said("urn:epc:idpat:sgtin:4012345.012345.*", ("cbvmda:descriptionShort", " Apples "))),
        _vocabulary("urn:epcglobal:epcis:vtype:Party", _said("urn:epc:id:pgln:4012345.00000", ("https://schema.org/name", "Farm"))),
        _vocabulary("urn:epcglobal:epcis:vtype:SourceDest", _said("https://id.gs1.org/417/4012345000009", (NAME, "again"))),
        _vocabulary("https://example.com/vtype/Robot", _said("https://example.com/robots/1", ("example:arms", 2))),
    ).master_data  # fmt: skip
    assert [(element.id, element.kind, element.name) for element in found] == [
        (GLN, "place", "Cold store"),
        ("https://id.gs1.org/01/04012345123456", "product", "Apples"),
        ("https://id.gs1.org/417/4012345000009", "party", "Farm"),
        ("https://example.com/robots/1", "other", None),
    ]
    assert found[0].attributes == {NAME: "Cold store"}
    assert found[1].attributes == {"urn:epcglobal:cbv:mda:descriptionShort": "Apples"}
    assert found[3].attributes == {"https://ns.example.com/epcis/arms": "2"}


def test_the_best_name_is_the_name() -> None:
    attributes = [
        ("cbvmda:description", "long"),
        ("cbvmda:site", "x"),
        ("cbvmda:name", "N"),
        ("cbvmda:descriptionShort", "s"),
    ]
    (place,) = _document(_vocabulary("epcis:ReadPoint", _said(GLN, *attributes))).master_data
    assert place.name == "N"


def test_what_is_said_of_one_place_in_two_vocabularies_is_said_together() -> None:
    (place,) = _document(
        _vocabulary("epcis:ReadPoint", _said(GLN, ("cbvmda:city", "Köln"))),
        _vocabulary("epcis:BusinessLocation", _said("urn:epc:id:sgln:4012345.00005.0", (NAME, "Store"), children=[f"{GLN}/254/1"])),
    ).master_data  # fmt: skip
    assert place.name == "Store"
    assert place.attributes["urn:epcglobal:cbv:mda:city"] == "Köln"
    assert place.attributes[CHILDREN] == f"{GLN}/254/1"


def test_values_of_every_kind_are_texts() -> None:
    attributes = [("a:n", 1.5), ("a:o", {"b": 1, "a": [True]}), ("a:twice", "x"), ("a:twice", "y"), ("a:empty", " ")]
    (place,) = _document(_vocabulary("epcis:ReadPoint", _said(GLN, *attributes))).master_data
    assert place.attributes == {"a:n": "1.5", "a:o": '{"a":[true],"b":1}', "a:twice": "x; y"}


def test_master_data_of_a_query_document() -> None:
    body = {
        "queryName": "q",
        "resultsBody": {"eventList": [], "vocabularyList": [_vocabulary("epcis:ReadPoint", _said(GLN, (NAME, "S")))]},
    }
    raw = {"@context": samples.CONTEXT, "type": "EPCISQueryDocument", "epcisBody": {"queryResults": body}}
    (place,) = parse_document(raw).master_data
    assert (place.id, place.name) == (GLN, "S")


@pytest.mark.parametrize(
    ("element", "field", "code"),
    [
        (_said("urn:epc:id:sgln:4012345.000055.0"), "id", "broken_identifier"),
        (_said("https://id.gs1.org/414/4012345000055"), "id", "check_digit"),
        (_said("https://example.com/" + "x" * 300), "id", "identifier_too_long"),
        (_said(GLN, (NAME, "x" * 5000)), "attributes", "master_data_too_large"),
        (_said(GLN, *[("a:same", "x" * 3000 + str(n)) for n in range(3)]), "attributes", "master_data_too_large"),
        (_said(GLN, *[(f"a:{n}", "x") for n in range(120)]), "attributes", "master_data_too_large"),
        (_said(GLN, ("a:" + "x" * 300, "x")), "attributes", "master_data_too_large"),
        (_said(GLN, (NAME, "a\0b")), "attributes", "text"),
        (_said(GLN, children=[f"a:{n}" for n in range(3000)]), "attributes", "master_data_too_large"),
    ],
)
def test_what_is_wrong_is_said(element: dict[str, Any], field: str, code: str) -> None:
    (problem,) = _document(_vocabulary("epcis:ReadPoint", element)).master_data_faults
    assert problem.field == f"/epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList/0/{field}"
    assert problem.code == code
    assert problem.message


def test_too_much_is_said() -> None:
    many = [_said(f"a:{number}") for number in range(1100)]
    assert [p.code for p in _document(_vocabulary("epcis:ReadPoint", *many)).master_data_faults] == [
        "master_data_too_large"
    ]
    large = [_said(f"a:{number}", (NAME, "x" * 3000)) for number in range(300)]
    assert [p.code for p in _document(_vocabulary("epcis:ReadPoint", *large)).master_data_faults] == [
        "master_data_too_large"
    ]


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(["x" * 4000, "x" * 4001, " "])
_VALUES = st.one_of(
    _TEXTS,
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dictionaries(_TEXTS, _TEXTS, max_size=2),
)
_ELEMENTS = st.builds(
    lambda identifier, attributes, children: _said(identifier, *attributes, children=children),
    st.sampled_from([GLN, "urn:epc:id:sgln:4012345.00005.0", "a:b", f"{GLN}/254/1", "https://x.org/" + "y" * 180]),
    st.lists(st.tuples(st.sampled_from([NAME, "cbvmda:name", "a:b", "a:" + "c" * 198]), _VALUES), max_size=8),
    st.lists(st.sampled_from([f"{GLN}/254/1", "a:b"]), max_size=3),
)


@given(st.lists(_ELEMENTS, max_size=4))
def test_what_is_taken_the_contract_takes(elements: list[dict[str, Any]]) -> None:
    document = _document(_vocabulary("epcis:ReadPoint", *elements), _vocabulary("epcis:EPCClass", *elements))
    if not document.master_data_faults:
        said = [element.to_dict() for element in document.master_data]
        assert [record["id"] for record in contract.read(said)] == [element.id for element in document.master_data]
