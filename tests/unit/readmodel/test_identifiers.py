import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodel.identifiers import Description, clean, describe, hash_hex

GTIN = "https://id.gs1.org/01/09506000134352"


@pytest.mark.parametrize(
    ("uri", "is_class", "expected"),
    [
        (GTIN, True, Description("product", GTIN, None)),
        (f"{GTIN}/10/L7", True, Description("lot", GTIN, None)),
        (f"{GTIN}/21/S1", False, Description("instance", GTIN, None)),
        (f"{GTIN}/10/L7/21/S1", False, Description("instance", GTIN, f"{GTIN}/10/L7")),
        (f"{GTIN}/22/2A/10/L7", True, Description("lot", GTIN, f"{GTIN}/10/L7")),
        (f"{GTIN}/22/2A", True, Description("class", GTIN, None)),
        (f"{GTIN}/235/TPX", False, Description("instance", GTIN, None)),
        ("https://id.gs1.org/00/106141412345678908", False, Description("instance", None, None)),
        ("https://example.com/class/7", True, Description("class", "https://example.com/class/7", None)),
    ],
)
def test_describe(uri: str, is_class: bool, expected: Description) -> None:
    assert describe(uri, is_class=is_class) == expected


@given(st.text(max_size=1_000))
def test_clean_text_can_be_stored_and_indexed_anywhere(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert len(cleaned) <= 300
    assert clean(cleaned) == cleaned
    if "\x00" not in text and len(text) <= 300:
        assert cleaned == text


def test_long_texts_stay_apart() -> None:
    assert clean("x" * 1_000 + "a") != clean("x" * 1_000 + "b")


def test_hash_hex() -> None:
    digest = "0f" * 32
    assert hash_hex(f"ni:///sha-256;{digest}?ver=CBV2.0") == digest
    assert hash_hex(digest) == digest
    assert hash_hex("urn:uuid:whatever") == "urn:uuid:whatever"
