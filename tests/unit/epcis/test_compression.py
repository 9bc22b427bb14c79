"""Compressed Digital Links are what the standard's compressor makes of the elements."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis.identifiers import InvalidIdentifier, judge, said
from epcis.identifiers.compression import expand

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HEX = "0123456789abcdef"
GTIN = "04012345111118"


def _bits(number: int, size: int) -> str:
    return f"{number:0{size}b}"


def _number(digits: str) -> str:
    return _bits(int(digits), math.ceil(len(digits) * math.log2(10) + 0.01))


def _text(value: str, most: int) -> str:
    """In the first of the five alphabets that can write it."""
    length = _bits(len(value), math.ceil(math.log2(most) + 0.01))
    if value.isdecimal():
        return "000" + length + _number(value)
    for code, characters, size in (("001", _HEX, 4), ("010", _HEX.upper(), 4), ("011", _ALPHABET, 6)):
        if all(character in characters for character in value):
            return code + length + "".join(_bits(characters.index(character), size) for character in value)
    return "100" + length + "".join(_bits(ord(character), 7) for character in value)


def _packed(bits: str) -> str:
    bits += "0" * (-len(bits) % 6)
    return "".join(_ALPHABET[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def _ai(ai: str) -> str:
    return "".join(_bits(int(digit, 16), 4) for digit in ai)


_VALUE = st.one_of(
    st.text("0123456789", min_size=1, max_size=20),
    st.text("0123456789abcdef", min_size=1, max_size=20),
    st.text("0123456789ABCDEF", min_size=1, max_size=20),
    st.text("ABCxyz019-_", min_size=1, max_size=20),
    st.text("!\"%&'()*+,-./019:;<=>?AZ_az", min_size=1, max_size=20),
)


@given(lot=_VALUE, serial=_VALUE, date=st.from_regex(r"\A[0-9]{6}\Z"))
def test_what_is_compressed_is_expanded(lot: str, serial: str, date: str) -> None:
    one = _packed(_ai("1a") + _number(GTIN) + _text(lot, 20) + _text(serial, 20) + _number(date))
    each = _packed(
        "".join([
            _ai("17") + _number(date), _ai("01") + _number(GTIN), _ai("21") + _text(serial, 20), _ai("10") + _text(lot, 20),
        ])
    )  # fmt: skip
    for link in (f"https://shop.example.com/p/{one}", f"https://id.gs1.org/{each}"):
        uri, identifier, fault = judge(link)
        assert fault is None
        assert identifier is not None
        assert (identifier.gtin, identifier.lot, identifier.serial) == (GTIN, lot, serial)
        assert said(uri).endswith(f"?17={date}")
        assert judge(said(uri)).uri == uri


def test_keys_of_other_kinds() -> None:
    assert expand(_packed(_ai("00") + _number("340123453111111115"))) == [("00", "340123453111111115")]
    assert expand(_packed(_ai("9d") + _number("4012345000054") + _text("D-12", 20))) == [
        ("414", "4012345000054"),
        ("254", "D-12"),
    ]
    assert expand(_packed(_ai("8003") + _number("04012345000221") + _text("X1", 16))) == [("8003", "04012345000221X1")]
    assert expand(_packed(_ai("2d") + _number(GTIN) + _number("000500"))) == [("01", GTIN), ("3103", "000500")]


@pytest.mark.parametrize(
    "segment",
    [
        "short", "no base 64!", _packed(_ai("cf") + _number(GTIN)), _packed(_ai("0b") + _number(GTIN)),
        _packed(_ai("01") + _number(GTIN)) + "AA", _packed(_ai("01") + "1" * 47),
        _packed(_ai("0b") + _number(GTIN) + "101" + _bits(3, 5) + "0" * 21),
    ],
)  # fmt: skip
def test_what_no_compressor_made(segment: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        expand(segment)
    assert caught.value.code == "compressed_link"


def test_a_key_alone_on_a_foreign_domain_may_be_anybodys_number() -> None:
    segment = _packed(_ai("01") + _number(GTIN))
    assert judge(f"https://id.gs1.org/{segment}").uri == f"https://id.gs1.org/01/{GTIN}"
    uri, identifier, fault = judge(f"https://shop.example.com/{segment}")
    assert (uri, identifier) == (f"https://shop.example.com/{segment}", None)
    assert fault is not None
    assert (fault.code, fault.severity) == ("compressed_link", "warning")


@given(st.text(_ALPHABET, min_size=1, max_size=40))
def test_any_text_is_expanded_or_refused(segment: str) -> None:
    try:
        elements = expand(segment)
    except InvalidIdentifier:
        return
    assert all(ai.isdecimal() and value for ai, value in elements)
