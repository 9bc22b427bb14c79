from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis.identifiers import (
    InvalidIdentifier,
    PrefixLengthUnknown,
    canonical_or_same,
    check_digit,
    gln,
    gtin,
    is_miswritten,
    lot,
    parse,
    pgln,
    sgtin,
    sscc,
    to_digital_link,
    to_urn,
)
from tests.unit.epcis import samples

_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz"

# One of each scheme: (URN, Digital Link).
_PAIRS = [
    ("urn:epc:id:sgtin:4012345.011111.98%22", "https://id.gs1.org/01/04012345111118/21/98%22"),
    ("urn:epc:id:sscc:4012345.3111111111", "https://id.gs1.org/00/340123451111111111"),
    ("urn:epc:id:sgln:4012345.00005.122", "https://id.gs1.org/414/4012345000054/254/122"),
    ("urn:epc:id:sgln:4012345.00005.0", "https://id.gs1.org/414/4012345000054"),
    ("urn:epc:id:pgln:4000001.00000", "https://id.gs1.org/417/4000001000005"),
    ("urn:epc:id:grai:4012345.00022.334455", "https://id.gs1.org/8003/04012345000221334455"),
    ("urn:epc:id:giai:4012345.ABC345", "https://id.gs1.org/8004/4012345ABC345"),
    ("urn:epc:id:gsrn:4012345.0000006765", "https://id.gs1.org/8018/401234500000067657"),
    ("urn:epc:id:gsrnp:4012345.0000000007", "https://id.gs1.org/8017/401234500000000074"),
    ("urn:epc:id:gdti:4012345.00009.PO-4711", "https://id.gs1.org/253/4012345000092PO-4711"),
    ("urn:epc:id:cpi:4012345.A%23%2F.1234", "https://id.gs1.org/8010/4012345A%23%2F/8011/1234"),
    ("urn:epc:id:sgcn:4012345.99999.44", "https://id.gs1.org/255/401234599999044"),
    ("urn:epc:id:ginc:4012345.xyz47%2F11", "https://id.gs1.org/401/4012345xyz47%2F11"),
    ("urn:epc:id:gsin:4012345.222333444", "https://id.gs1.org/402/40123452223334442"),
    ("urn:epc:id:itip:4012345.011111.01.02.987", "https://id.gs1.org/8006/040123451111180102/21/987"),
    ("urn:epc:id:upui:4012345.098765.51qIgY)%3C*j7", "https://id.gs1.org/01/04012345987652/235/51qIgY%29%3C%2Aj7"),
    ("urn:epc:class:lgtin:4012345.012345.Lot987", "https://id.gs1.org/01/04012345123456/10/Lot987"),
    ("urn:epc:idpat:sgtin:4012345.012345.*", "https://id.gs1.org/01/04012345123456"),
    ("urn:epc:idpat:grai:4012345.99999.*", "https://id.gs1.org/8003/04012345999990"),
    ("urn:epc:idpat:gdti:4012345.11111.*", "https://id.gs1.org/253/4012345111118"),
    ("urn:epc:idpat:sgcn:4012345.22222.*", "https://id.gs1.org/255/4012345222227"),
    ("urn:epc:idpat:cpi:4012345.AB12.*", "https://id.gs1.org/8010/4012345AB12"),
    ("urn:epc:idpat:itip:4012345.012345.01.02.*", "https://id.gs1.org/8006/040123451234560102"),
]  # fmt: skip


@pytest.mark.parametrize(("urn", "link"), _PAIRS)
def test_every_scheme_both_ways(urn: str, link: str) -> None:
    assert to_digital_link(urn) == link
    assert to_digital_link(link) == link
    assert to_urn(link, company_prefix_length=7) == urn
    assert parse(urn) == parse(link)
    assert parse(urn).has_valid_check_digit
    assert not is_miswritten(urn)


@pytest.mark.parametrize(
    "text",
    [
        "", "42", "urn:epc:id:sgtin:4012345.011111", "urn:epc:id:sgtin:4012345.01111.1",
        "urn:epc:id:sgtin:40123.01111111.1",
        "urn:epc:id:sgtin:4012345.011111.", "urn:epc:id:sgtin:4012345.011111.123456789012345678901",
        "urn:epc:id:sgtin:4012345.011111.%zz", "urn:epc:id:sgtin:4012345.011111.é",
        "urn:epc:id:lgtin:4012345.012345.L",
        "urn:epc:class:sgtin:4012345.012345.L", "urn:epc:idpat:sgtin:4012345.*.*",
        "urn:epc:idpat:sscc:4012345.*",
        "urn:epc:id:gid:95100000.12345.400", "urn:epc:id:sscc:4012345.31111111111",
        "urn:epc:id:sgcn:4012345.99999.x",
        "urn:epc:id:cpi:4012345.ABC.x", "urn:epc:id:cpi:4012345.abc.1",
        "urn:epc:id:itip:4012345.011111.1.02.9",
        "https://id.gs1.org/", "https://id.gs1.org/01", "https://id.gs1.org/01/123", "https://id.gs1.org/01/0401234511111٨",
        "https://id.gs1.org/01/04012345111118/21", "https://id.gs1.org/01/04012345111118/21/a/10/b",
        "https://id.gs1.org/01/04012345111118/99/x", "https://id.gs1.org/414/4012345000054/21/1", "ftp://id.gs1.org/01/04012345111118",
        "https://id.gs1.org/8010/4012345abc", "https://id.gs1.org/8010/4012345ABC/8011/x",
    ],
)  # fmt: skip
def test_what_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        to_digital_link(text)
    assert canonical_or_same(text) == text


def test_an_identifier_must_be_text() -> None:
    with pytest.raises(InvalidIdentifier, match="text"):
        to_digital_link(42)  # type: ignore[arg-type]


@given(st.text() | st.from_regex(r"urn:epc:(id|class|idpat):[a-z]{3,5}:[0-9]{5,13}\.[0-9.*A-Z%]{0,20}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        link = to_digital_link(text)
    except InvalidIdentifier:
        return
    assert to_digital_link(link) == link
    assert parse(link) == parse(text)


@given(samples.items() | samples.lots() | samples.places())
def test_urn_and_link_say_the_same(pair: tuple[str, str]) -> None:
    urn, link = pair
    assert to_digital_link(urn) == link
    assert canonical_or_same(urn) == canonical_or_same(link) == link
    assert to_urn(link, 7) == urn


@given(st.text(_SET_82, min_size=1, max_size=20))
def test_any_serial_survives_both_forms(serial: str) -> None:
    link = sgtin("04012345111118", serial)
    assert parse(link).serial == serial
    assert parse(to_urn(link, 7)).serial == serial
    assert to_digital_link(to_urn(link, 7)) == link


@given(st.text("0123456789", min_size=1, max_size=17))
def test_check_digit_is_that_of_the_recipe(digits: str) -> None:
    assert check_digit(digits) == samples.naive_check_digit(digits)


@pytest.mark.parametrize("wrong", ["https://id.gs1.org/01/04012345111119/21/1", "https://id.gs1.org/414/4012345000055",
                                   "https://id.gs1.org/8003/04012345000222A", "http://x.org/sscc/340123451111111112",
                                   "https://id.gs1.org/253/4012345000093PO"])  # fmt: skip
def test_wrong_check_digits_are_seen(wrong: str) -> None:
    assert is_miswritten(wrong)
    assert not parse(wrong).has_valid_check_digit


def test_what_is_no_key_is_not_miswritten() -> None:
    assert not is_miswritten("https://example.com/x")
    assert not is_miswritten("urn:epc:id:gid:1.2.3")


def test_urn_is_refused_where_the_prefix_length_is_unknown() -> None:
    link = "https://id.gs1.org/01/04012345111118/21/9876"
    with pytest.raises(PrefixLengthUnknown):
        to_urn(link, lengths=lambda digits: None)
    assert to_urn(link, lengths=lambda digits: 7) == "urn:epc:id:sgtin:4012345.011111.9876"


def test_published_prefix_lengths_are_the_default() -> None:
    assert to_urn("https://id.gs1.org/414/4012345000054") == "urn:epc:id:sgln:4012345.00005.0"
    with pytest.raises(PrefixLengthUnknown):
        to_urn("https://id.gs1.org/414/2000000000008")


@pytest.mark.parametrize(
    "link", ["https://id.gs1.org/01/00000097803111", "https://id.gs1.org/8006/040123451234560102/10/L"]
)
def test_urn_is_refused_where_none_exists(link: str) -> None:
    with pytest.raises(InvalidIdentifier):
        to_urn(link, 7)


def test_builders() -> None:
    assert gtin("4012345111118") == "https://id.gs1.org/01/04012345111118"
    assert sgtin("4012345111118", "a/b") == "https://id.gs1.org/01/04012345111118/21/a%2Fb"
    assert lot("04012345111118", "L1") == "https://id.gs1.org/01/04012345111118/10/L1"
    assert sscc("340123453111111115") == "https://id.gs1.org/00/340123453111111115"
    assert gln("4012345000054") == "https://id.gs1.org/414/4012345000054"
    assert gln("4012345000054", "12") == "https://id.gs1.org/414/4012345000054/254/12"
    assert pgln("4000001000005") == "https://id.gs1.org/417/4000001000005"


@pytest.mark.parametrize(
    "digits", ["4012345111119", "401234511111", "40123451111180", "401234511111x", "٤012345111118", ""]
)
def test_builders_refuse_wrong_numbers(digits: str) -> None:
    with pytest.raises(InvalidIdentifier):
        gln(digits)


@pytest.mark.parametrize("serial", ["", "x" * 21, "ü", "a b"])
def test_builders_refuse_wrong_serials(serial: str) -> None:
    with pytest.raises(InvalidIdentifier):
        sgtin("04012345111118", serial)


def test_what_an_identifier_names() -> None:
    item = parse("https://id.gs1.org/01/04012345111118/21/9")
    assert (item.scheme, item.gtin, item.serial, item.lot) == ("sgtin", "04012345111118", "9", None)
    assert item.is_instance
    assert not item.is_class
    batch = parse("https://example.com/gtin/4012345111118/lot/A1?17=260101")
    assert (batch.scheme, batch.gtin, batch.serial, batch.lot) == ("lgtin", "04012345111118", None, "A1")
    assert batch.is_class
    assert parse("https://id.gs1.org/8003/04012345000221").is_class
    asset = parse("https://id.gs1.org/8003/04012345000221X1")
    assert asset.is_instance
    assert asset.serial == "X1"
    assert parse("https://id.gs1.org/414/4012345000054").is_instance


@pytest.mark.parametrize("text", ["", "12a", "٤", "1 2"])
def test_check_digit_is_of_digits_only(text: str) -> None:
    with pytest.raises(ValueError, match="not digits"):
        check_digit(text)


@pytest.mark.parametrize("urn", ["urn:epc:id:sgtin:4012345.0111111.1", "urn:epc:id:sgtin:4012345.01111.1"])
def test_urns_of_the_wrong_length_stay_as_they_are(urn: str) -> None:
    assert canonical_or_same(urn) == urn
