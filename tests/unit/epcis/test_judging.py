"""One judgement of an identifier's spelling: what a text names, whole, or why it names nothing."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis.identifiers import (
    LONGEST_IDENTIFIER,
    InvalidIdentifier,
    Spelled,
    identity_of,
    judge,
    parse,
    read,
    reference_of,
    said,
    standing,
    to_digital_link,
    to_urn,
)
from tests.unit.epcis import samples

GTIN = "04012345111118"
BASE = "https://id.gs1.org"
ITEM = f"{BASE}/01/{GTIN}/21/S7"
LOT = f"{BASE}/01/{GTIN}/10/L7"


@pytest.mark.parametrize(
    ("text", "canonical", "whole", "lot"),
    [
        (f"{BASE}/01/{GTIN}/10/L7/21/S7", ITEM, f"{BASE}/01/{GTIN}/10/L7/21/S7", LOT),
        (f"{BASE}/01/{GTIN}/22/2A/10/L7/21/S7", ITEM, f"{BASE}/01/{GTIN}/22/2A/10/L7/21/S7", LOT),
        (f"{BASE}/01/{GTIN}/10/L7/235/T", f"{BASE}/01/{GTIN}/235/T", f"{BASE}/01/{GTIN}/10/L7/235/T", LOT),
        (f"{BASE}/01/{GTIN}/22/2A/10/L7", LOT, f"{BASE}/01/{GTIN}/22/2A/10/L7", None),
        (f"{BASE}/01/{GTIN}/22/2A", f"{BASE}/01/{GTIN}", f"{BASE}/01/{GTIN}/22/2A", None),
        (f"HTTP://SHOP.EXAMPLE.COM/P/GTIN/{GTIN[1:]}/LOT/L7/SER/S7", ITEM, f"{BASE}/01/{GTIN}/10/L7/21/S7", LOT),
        (f"https://shop.example.com/01/{GTIN}?21=S7&10=L7&17=271231", ITEM,
         f"{BASE}/01/{GTIN}/10/L7/21/S7?17=271231", LOT),
        (f"https://shop.example.com/01/{GTIN}?lot=L7&linkType=gs1:pip", LOT, LOT, None),
        (f"https://shop.example.com/01/{GTIN}/10/L7?10=L7;3103=000500", LOT, f"{LOT}?3103=000500", None),
        (f"{BASE}/8006/{GTIN}0102/10/L7/21/S7", f"{BASE}/8006/{GTIN}0102/21/S7",
         f"{BASE}/8006/{GTIN}0102/10/L7/21/S7", LOT),
        (f"{BASE}/414/4012345000054/254/12/7040/1XYZ", f"{BASE}/414/4012345000054/254/12",
         f"{BASE}/414/4012345000054/254/12/7040/1XYZ", None),
        ("urn:epc:tag:sgtin-96:3.4012345.011111.77", f"{BASE}/01/{GTIN}/21/77", f"{BASE}/01/{GTIN}/21/77", None),
        ("urn:epc:tag:sscc-96:0.4012345.3111111111", f"{BASE}/00/340123451111111111",
         f"{BASE}/00/340123451111111111", None),
        ("URN:EPC:ID:SGTIN:4012345.011111.77", f"{BASE}/01/{GTIN}/21/77", f"{BASE}/01/{GTIN}/21/77", None),
        ("urn:epc:id:gid:95100000.12345.400", "urn:epc:id:gid:95100000.12345.400",
         "urn:epc:id:gid:95100000.12345.400", None),
        ("https://example.com/things/42", "https://example.com/things/42", "https://example.com/things/42", None),
    ],
)  # fmt: skip
def test_one_canonical_link_and_nothing_lost(text: str, canonical: str, whole: str, lot: str | None) -> None:
    uri, _, fault = judge(text)
    assert fault is None
    assert (uri, said(uri), getattr(uri, "lot", None)) == (canonical, whole, lot)
    assert identity_of(text) == canonical
    assert (identity_of(whole), said(identity_of(whole))) == (canonical, whole)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{BASE}/01/{GTIN}/21/S7/10/L7", "qualifier_order"),
        (f"https://shop.example.com/01/{GTIN}/21/S7/22/V", "qualifier_order"),
        (f"{BASE}/01/{GTIN}/10/L7/10/L8", "qualifier_twice"),
        (f"{BASE}/01/{GTIN}/10/L7?10=L8", "qualifier_twice"),
        (f"{BASE}/01/{GTIN}/17/271231", "unknown_qualifier"),
        (f"https://shop.example.com/01/{GTIN}/reviews", "unknown_qualifier"),
        (f"{BASE}/01/{GTIN}/10/", "unknown_qualifier"),
        (f"{BASE}/01/{GTIN}/21/S7/235/T", "broken_identifier"),
        (f"{BASE}/01/{GTIN}/10/{'L' * 21}", "broken_identifier"),
        (f"{BASE}/01/{GTIN}/10/%F0%9F%98%80", "broken_identifier"),
        (f"{BASE}/01/{GTIN[:-2]}/x", "unknown_qualifier"),
        (f"{BASE}/01/123", "broken_identifier"),
        (f"{BASE}/", "broken_identifier"),
        (f"{BASE}/01/04012345111119/21/S7", "check_digit"),
        ("http://shop.example.com/sscc/340123451111111112", "check_digit"),
        ("urn:epc:id:sgtin:4012345.0111111.1", "broken_identifier"),
        ("urn:epc:class:lgtin:4012345.012345.", "broken_identifier"),
        ("urn:epc:idpat:sgtin:4012345.*.*", "broken_identifier"),
        ("urn:epc:tag:sgtin-96:9.4012345.011111.77", "tag_uri"),
        ("urn:epc:tag:sgtin-64:3.4012345.011111.77", "tag_uri"),
        ("urn:epc:raw:96.x3074257BF400B7800004CB2F", "tag_uri"),
        (f"{BASE}/zzzzzzzzzzzz", "compressed_link"),
        ("https://example.com/" + "x" * LONGEST_IDENTIFIER, "identifier_too_long"),
    ],
)  # fmt: skip
def test_what_is_certainly_meant_as_a_key_and_is_none_is_an_error(text: str, code: str) -> None:
    uri, _, fault = judge(text)
    assert fault is not None
    assert (fault.code, fault.severity) == (code, "error")
    assert fault.message
    assert uri == text or code == "check_digit"
    assert standing(uri).fault == fault or code == "check_digit"


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example.com/01/123456", "https://example.com/8004/items/list", "urn:epc:id:foo:4012345.1.2",
        "https://id.gs1.org/8013/4012345ABC",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_key_is_a_warning(text: str) -> None:
    uri, _, fault = judge(text)
    assert uri == text
    assert fault is not None
    assert (fault.code, fault.severity) == ("unrecognised_identifier", "warning")


@pytest.mark.parametrize(
    ("text", "canonical", "whole"),
    [
        (f"(01){GTIN}(10)L7", LOT, LOT),
        (f"(10)L7(01){GTIN}", LOT, LOT),
        (f"(01) {GTIN} (17) 271231 (10) L7", LOT, f"{LOT}?17=271231"),
        (f"(01){GTIN}(21)S7(17)271231(10)L7", ITEM, f"{BASE}/01/{GTIN}/10/L7/21/S7?17=271231"),
        (f"(01){GTIN}(10)A(B)C(30)40", f"{BASE}/01/{GTIN}/10/A%28B%29C", f"{BASE}/01/{GTIN}/10/A%28B%29C?30=40"),
        (f"(3103)000500(01){GTIN}(10)L7", LOT, f"{LOT}?3103=000500"),
        (f"(01){GTIN[1:]}", f"{BASE}/01/{GTIN}", f"{BASE}/01/{GTIN}"),
        ("(00)340123453111111115(02)04012345111118(37)12", f"{BASE}/00/340123453111111115",
         f"{BASE}/00/340123453111111115?02=04012345111118&37=12"),
        (f" {GTIN}\r\n", f"{BASE}/01/{GTIN}", f"{BASE}/01/{GTIN}"),
        (GTIN[1:], f"{BASE}/01/{GTIN}", f"{BASE}/01/{GTIN}"),
        ("40170725", f"{BASE}/01/00000040170725", f"{BASE}/01/00000040170725"),
        ("036000291452", f"{BASE}/01/00036000291452", f"{BASE}/01/00036000291452"),
        ("340123453111111115", f"{BASE}/00/340123453111111115", f"{BASE}/00/340123453111111115"),
    ],
)  # fmt: skip
def test_what_a_label_says(text: str, canonical: str, whole: str) -> None:
    uri, _, fault = read(text)
    assert fault is None
    assert (uri, said(uri)) == (canonical, whole)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"(01){GTIN}(17)27123", "broken_identifier"),
        (f"(01){GTIN}(10)L7(10)L8", "qualifier_twice"),
        (f"(01){GTIN}(00)340123453111111115", "broken_identifier"),
        ("(17)271231", "no_key"),
        ("(98765)x", None),
        ("(01)04012345111119(10)L7", "check_digit"),
        (f"(0199){GTIN}", "unknown_ai"),
    ],
)  # fmt: skip
def test_a_label_that_is_misread(text: str, code: str | None) -> None:
    fault = read(text).fault
    assert (fault and fault.code) == code


def test_other_numbers_are_no_identifiers() -> None:
    for text in ("4711", "04012345111119", "ABC123", "", "0", "7", "٤٠١٢٣٤٥١١١١١٨"):
        assert read(text) == (text, None, None)
    assert read(GTIN[1:], bare=False) == (GTIN[1:], None, None)


def test_documents_keep_their_domain() -> None:
    assert (
        reference_of("https://orders.example.com/01/04012345111118") == "https://orders.example.com/01/04012345111118"
    )
    assert reference_of("HTTPS://ID.GS1.ORG/253/4012345000092PO") == f"{BASE}/253/4012345000092PO"
    assert reference_of("urn:epc:id:gdti:4012345.00009.PO") == f"{BASE}/253/4012345000092PO"


def test_a_spelling_survives_a_process() -> None:
    item = judge(f"{BASE}/01/{GTIN}/10/L7/21/S7").uri
    again = pickle.loads(pickle.dumps(item))
    assert isinstance(again, Spelled)
    assert (again, again.said, again.lot) == (item, said(item), LOT)
    assert {item: 1} == {ITEM: 1}
    assert f"{item}" == ITEM


def test_the_urn_of_an_item_of_a_lot_is_that_of_the_item() -> None:
    assert to_urn(f"{BASE}/01/{GTIN}/10/L7/21/S7", 7) == "urn:epc:id:sgtin:4012345.011111.S7"
    assert parse(f"{BASE}/01/{GTIN}/10/L7/21/S7").lot == "L7"
    assert parse(f"{BASE}/01/{GTIN}/10/L7/21/S7").serial == "S7"


_VALUE = st.text("ABCabc019-._/%!()", min_size=1, max_size=20)


@st.composite
def links(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A link to an item or lot with all that may be said of it, and what it says."""
    (_, item) = draw(samples.items())
    gtin = item.split("/")[4]
    values = {"10": draw(st.none() | _VALUE), "21": draw(st.none() | _VALUE), "22": draw(st.none() | _VALUE)}
    there = {ai: value for ai, value in values.items() if value is not None}
    in_query = draw(st.sets(st.sampled_from(["10", "21", "22"])))
    path = "".join(f"/{ai}/{_escaped(there[ai])}" for ai in ("22", "10", "21") if ai in there and ai not in in_query)
    pairs = [
        f"{ai}={_escaped(there[ai])}"
        for ai in draw(st.permutations(["10", "21", "22"]))
        if ai in there and ai in in_query
    ]
    domain = draw(st.sampled_from([BASE, "HTTPS://ID.GS1.ORG", "http://shop.example.com/en/p", "https://x.org:8080"]))
    key = draw(st.sampled_from(["01", "gtin", "GTIN"]))
    return f"{domain}/{key}/{gtin}{path}" + (f"?{'&'.join(pairs)}" if pairs else ""), {"01": gtin, **there}


def _escaped(text: str) -> str:
    return "".join(f"%{ord(c):02x}" if c in "/%!()" else c for c in text)


@given(links())
def test_every_spelling_says_the_same_and_is_idempotent(pair: tuple[str, dict[str, str]]) -> None:
    link, values = pair
    uri, identifier, fault = judge(link)
    assert fault is None
    assert identifier is not None
    assert (identifier.gtin, identifier.lot, identifier.serial) == (values["01"], values.get("10"), values.get("21"))
    assert dict(identifier.qualifiers) == {ai: value for ai, value in values.items() if ai != "01"}
    whole = said(uri)
    assert said(judge(whole).uri) == whole
    assert judge(whole).uri == uri == judge(uri).uri == to_digital_link(link) == to_digital_link(uri)


_ANY = st.text(max_size=60) | st.from_regex(
    r"\A(https?://[a-z.]{1,12}|https://id\.gs1\.org|urn:epc:(id|tag|idpat|class):[a-z0-9-]{3,8})[/:0-9A-Za-z.?=&%;-]{0,60}\Z"
)


@given(_ANY | links().map(lambda pair: pair[0]))
def test_any_text_is_judged_and_one_judgement_is_that_of_all(text: str) -> None:
    uri, identifier, fault = judge(text)
    assert (identifier is None) == (uri == text and _is_opaque(text))
    assert judge(said(uri)).uri == uri
    assert standing(identity_of(text)).fault is None or fault is not None
    if identifier is None and fault is None:
        assert standing(text) == (False, False, None)


@given(_ANY | st.text("()0123456789AB %", max_size=40))
def test_whatever_is_typed_is_read(text: str) -> None:
    for bare in (True, False):
        uri, identifier, fault = read(text, bare)
        if identifier is not None:
            assert read(said(uri)).uri == uri
        assert fault is None or fault.message


def _is_opaque(text: str) -> bool:
    try:
        parse(text)
    except InvalidIdentifier:
        return True
    return False
