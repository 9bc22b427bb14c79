"""How identifiers, times and numbers are written for people."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ui import words


@pytest.mark.parametrize(
    ("identifier", "short", "tail"),
    [
        ("https://id.gs1.org/01/09506000134352/10/L7", "GTIN 09506000134352 · lot L7", "L7"),
        ("https://id.gs1.org/01/09506000134352", "GTIN 09506000134352", "GTIN …134352"),
        ("https://id.gs1.org/00/106141412345678908", "SSCC 106141412345678908", "SSCC …678908"),
        ("urn:example:thing/7", "7", "7"),
        ("", "–", "–"),
        (None, "–", "–"),
    ],
)
def test_identifiers(identifier: str | None, short: str, tail: str) -> None:
    assert words.short(identifier) == short
    assert words.tail(identifier) == tail


def test_numbers_and_times() -> None:
    assert words.number(1234567) == "1,234,567"
    assert words.number(0.5) == "0.50"
    assert words.number(None) == "–"
    assert words.day("2024-05-06T07:08:09+02:00") == "2024-05-06 05:08"
    assert words.day(None) == "–"
    assert words.days_between("2024-05-06T00:00:00Z", "2024-05-07T12:00:00Z") == 1.5
    assert words.days_between(None, "2024-05-07T12:00:00Z") is None
    assert words.hash_text("ni:///sha-256;0123456789abcdef?ver=CBV2.0") == "0123456789ab"
    assert words.reference("urn:epcglobal:cbv:bt:9506000000018:D7") == "D7"


def test_amounts_have_units() -> None:
    assert words.quantity(270.0, "KGM") == "270 kg"
    assert words.quantity(1, None) == "1 piece"
    assert words.quantity(0, "") == "0 pieces"
    assert words.quantity(2.5, "XBX") == "2.50 XBX"
    assert words.quantity(None, "KGM") == "–"
    assert words.count(1, "event") == "1 event"
    assert words.count(1200, "event") == "1,200 events"


def line(product: str, released: float | None, uom: str | None = None, accepted: float | None = None) -> dict[str, Any]:
    return {
        "product": f"https://id.gs1.org/01/{product}", "uom": uom, "released": released, "accepted": accepted
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "goods"),
    [
        ([], "–"),
        ([line("09506000134352", 270, "KGM")], "270 kg of GTIN …134352"),
        ([line("09506000134352", 4), line("09506000134369", 3)], "7 pieces of 2 products"),
        ([line("09506000134352", 4), line("09506000134352", 3)], "7 pieces of GTIN …134352"),
        ([line("09506000134352", 4), line("09506000134369", 2, "LTR")], "4 pieces + 2 l of 2 products"),
        ([line("09506000134352", None, accepted=9)], "9 pieces of GTIN …134352"),
    ],
)
def test_goods_of_a_handoff(lines: list[dict[str, Any]], goods: str) -> None:
    assert words.goods(lines) == goods


@pytest.mark.parametrize(
    ("identifier", "traceable"),
    [
        ("https://id.gs1.org/01/09506000134352/10/L7", True),
        ("https://id.gs1.org/01/09506000134352/21/S1", True),
        ("https://id.gs1.org/00/106141412345678908", True),
        ("https://id.gs1.org/01/09506000134352", False),
        ("https://id.gs1.org/414/9506000134352", False),
        ("custody", False),
    ],
)
def test_what_can_be_traced(identifier: str, traceable: bool) -> None:
    assert words.is_traceable(identifier) is traceable


def test_long_lists_end_in_dots() -> None:
    lots = [f"https://id.gs1.org/01/09506000134352/10/L{n}" for n in range(5)]
    assert words.listed(lots[:4]) == "L0, L1, L2, L3"
    assert words.listed(lots) == "L0, L1, L2, L3 …"
    assert words.listed([]) == ""


LETTERS = [*"ab *_`[]()!<>#\\~$|:+-.1&@/;", "http://", "www.", "\n", "\t", "\u202e", "\x1b"]


@given(st.lists(st.sampled_from(LETTERS), max_size=40).map("".join))
def test_text_from_others_is_text(text: str) -> None:
    """No emphasis, link, image, list, code or HTML comes of it, only the characters themselves."""
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(words.plain(text))
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    shown = "".join(child.content for token in tokens for child in token.children or ())
    said = " ".join("".join(letter for letter in text if letter not in "\u202e\x1b").split())
    assert shown.replace(words.JOINER, "") == said


@given(st.lists(st.sampled_from(LETTERS), max_size=40).map("".join))
def test_no_address_is_left_to_be_recognised(text: str) -> None:
    """The page makes links of addresses and icons of words between colons after all escapes are undone."""
    tokens = MarkdownIt("commonmark").parse(words.plain(text))
    shown = "".join(child.content for token in tokens for child in token.children or ())
    assert re.search(r"https?:/|www\.|[-.\w+]@|:\w", shown) is None


def test_no_directive_of_the_dashboard_survives() -> None:
    assert words.plain(":red-badge[all is well]") == f"\\:{words.JOINER}red\\-badge\\[all is well\\]"
