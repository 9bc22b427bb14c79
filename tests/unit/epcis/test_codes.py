"""Reading what scanners send: one verdict for every form, and refusals that say what to do."""

from __future__ import annotations

from datetime import date

import pytest
from biip.gs1_messages import GS1Message
from hypothesis import given, settings
from hypothesis import strategies as st

from epcis.identifiers import UnreadableCode, check_digit, read, read_code
from epcis.identifiers.ai_table import fault_of, fits, syntax_of
from epcis.identifiers.carriers import GS
from tests.effort import examples

PRODUCT = "04012345111118"
LOT = f"https://id.gs1.org/01/{PRODUCT}/10/K7"
ITEM = f"https://id.gs1.org/01/{PRODUCT}/21/88"
PALLET = "340123451111111111"
RAW = f"01{PRODUCT}10K7"

SEPARATORS = [
    "\x1d", "<GS>", "<gs>", "{GS}", "[GS]", "(GS)", "<FNC1>", "{FNC1}", "^FNC1", "^]", "^", "|", "~", "~d029", "@", "\\x1d",
    "\\u001d", "\\u001D", "\\x1D", "\\035", "\\29", "\\F", "&#29;", "&#x1D;", "%1d", "\u241d", "\x1e", "\x1c", "<0x1D>", "  ",
]  # fmt: skip


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("before", ["", "]d2", "]C1", "]Q3", "]e0", "]J1"])
def test_every_form_of_a_separator(before: str, separator: str) -> None:
    code = read_code(f"{before}{RAW}{separator}17271231\r\n")
    assert code.uri == LOT
    assert code.elements == (("01", PRODUCT), ("10", "K7"), ("17", "271231"))
    assert code.symbology == (before[1:] or None)


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        (f"(01){PRODUCT}(17)271231(10)K7", LOT),
        (f"(01) {PRODUCT} (10) K7 ", LOT),
        (f"[01]{PRODUCT}[10]K7", LOT),
        (f"（01）{PRODUCT}（10）K7", LOT),
        (f"01 {PRODUCT} 10 K7", LOT),
        (f"17271231{RAW}", LOT),
        (f"<GS>{RAW}", LOT),
        (f"^{RAW}^17271231", LOT),
        (f"\x02{RAW}\x03", LOT),
        (f"01{PRODUCT}310300125010K7", LOT),
        (f"[)>\x1e05\x1d{RAW}\x1e\x04", LOT),
        (f"(01){PRODUCT}(10)K7(21)88", ITEM),
        (f"01{PRODUCT}2188{GS}10K7", ITEM),
        (f"]I1{PRODUCT}", f"https://id.gs1.org/01/{PRODUCT}"),
        ("]E04012345111118", f"https://id.gs1.org/01/{PRODUCT}"),
        ("]E3401234511111812", f"https://id.gs1.org/01/{PRODUCT}"),
        ("4 012345 111118", f"https://id.gs1.org/01/{PRODUCT}"),
        ("]E496385074", "https://id.gs1.org/01/00000096385074"),
        (f"00{PALLET}", f"https://id.gs1.org/00/{PALLET}"),
        (f"]C100{PALLET}", f"https://id.gs1.org/00/{PALLET}"),
        (f"(00) 3 4012345 111111111 {PALLET[-1]}", f"https://id.gs1.org/00/{PALLET}"),
        (f"(00){PALLET}(02){PRODUCT}(37)12(10)K7", f"https://id.gs1.org/00/{PALLET}"),
        (f"(00){PALLET}(401)4012345X(410)4012345000009", f"https://id.gs1.org/00/{PALLET}"),
        (f"HTTPS://SHOP.EXAMPLE/01/{PRODUCT}/10/K7", LOT),
        (f"]Q1https://shop.example/a/b/01/{PRODUCT}/10/K7?17=271231", LOT),
        (f"shop.example/01/{PRODUCT}/10/K7", LOT),
        (f"]d1https://shop.example/01/{PRODUCT}/21/88", ITEM),
        ("urn:epc:id:sgtin:4012345.011111.88", ITEM),
        ("3034F4E4E4ADD9C000000058", None),
    ],
)
def test_forms(text: str, uri: str | None) -> None:
    if uri is None:
        assert read_code(text).uri is not None
    else:
        assert read_code(text).uri == uri
        assert read(text).uri == uri


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "empty", "scan again"),
        ("\r\n", "empty", "scan again"),
        (f"{RAW}17271231", "ambiguous", "(10)K7(17)271231"),
        (f"]d2{RAW}17271231", "ambiguous", "Let the reader send GS"),
        (f"{RAW}2188", "ambiguous", "(10)K7(21)88"),
        (f"01{PRODUCT}218817271231{'10K7'}", "ambiguous", "no separator"),
        (f"(01){PRODUCT[:-1]}9(10)K7", "check_digit", "should be 8"),
        (f"01{PRODUCT[:-1]}910K7", "check_digit", "should be 8"),
        (f"]I1{PRODUCT[:-1]}9", "check_digit", "ITF"),
        (f"00{PALLET[:-1]}{(int(PALLET[-1]) + 1) % 10}", "check_digit", "should be"),
        (f"(01){PRODUCT}(17)271331", "broken_identifier", "no month 13"),
        (f"(01){PRODUCT}(17)270230", "broken_identifier", "no day 30"),
        ("(10)K7(17)271231", "no_key", "scan the code beside it"),
        ("]C110K7", "no_key", "names no product"),
        (f"(01){PRODUCT}(10)K7(10)K8", "qualifier_twice", "'K8'"),
        (f"(01){PRODUCT}(8003)04012345111118X", "broken_identifier", "several things"),
        (f"(01){PRODUCT}(05)K7", "broken_identifier", "wants N14"),
        (f"]d201{PRODUCT}05K7", "unknown_ai", "no application identifier"),
        (f"01{PRODUCT}10{'A' * 21}", "broken_identifier", "separator (FNC1, GS) missing"),
        (f"01{PRODUCT}1727123", "broken_identifier", "wants N6"),
        ("+A99912345/$$52001510X3", "foreign_code", "HIBC"),
        ("=A99971234567800", "foreign_code", "ISBT 128"),
        ("[)>\x1e06\x1d9N110375286414\x1d1TK7\x1e\x04", "foreign_code", "PPN"),
        ("[)>\x1e06\x1dPAB1\x1dQ4\x1e\x04", "foreign_code", "MH10"),
        ("WIFI:T:WPA;S:x;P:y;;", "foreign_code", "telephones"),
        ("https://shop.example/offers", "no_key", "without a GS1 key"),
        ("K7|88", "no_key", "no GS1 element string"),
        ("x" * 9000, "too_long", "9000"),
    ],
)
def test_refusals(text: str, code: str, words: str) -> None:
    with pytest.raises(UnreadableCode) as refused:
        read_code(text)
    assert (refused.value.code, words in str(refused.value)) == (code, True), str(refused.value)


@pytest.mark.parametrize("text", ["K7", "a/b-1", "88", "K7\t", "LOT 12", "2024-11-27/3", "L1.AB/2"])
def test_a_bare_text_is_no_error(text: str) -> None:
    code = read_code(text)
    assert (code.uri, code.text) == (None, text.strip())


def test_a_reader_that_passes_separators_on_leaves_no_doubt() -> None:
    assert read_code(f"]d2{RAW}17271231", has_separators=True).uri == f"{LOT}17271231"


def test_another_separator_shows_that_they_are_passed_on() -> None:
    code = read_code(f"01{PRODUCT}10K7{GS}2110X17271231")
    assert code.elements[-1] == ("21", "10X17271231")


_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


@st.composite
def labels(draw: st.DrawFn) -> list[tuple[str, str]]:
    """A product with what a label may say of it beside, in any order."""
    body = draw(st.from_regex(r"[0-9]{13}", fullmatch=True))
    elements = [("01", body + check_digit(body))]
    if draw(st.booleans()):
        elements.append(("10", draw(st.text(_SET_82, min_size=1, max_size=20))))
    if draw(st.booleans()):
        elements.append(("21", draw(st.text(_SET_82, min_size=1, max_size=20))))
    days = st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 1, 1))
    elements += [
        (ai, f"{draw(days):%y%m%d}") for ai in draw(st.lists(st.sampled_from(["11", "15", "17"]), unique=True))
    ]
    if draw(st.booleans()):
        elements.append(("3103", draw(st.from_regex(r"[0-9]{6}", fullmatch=True))))
    if draw(st.booleans()):
        elements.append(("240", draw(st.text(_SET_82, min_size=1, max_size=30))))
    return draw(st.permutations(elements))


def raw(elements: list[tuple[str, str]]) -> str:
    """As a scanner sends it: a separator where the length is not told by the AI, and nothing behind the last."""
    parts = [ai + value + ("" if syntax_of(ai).ends_by_length else GS) for ai, value in elements]
    return "".join(parts).removesuffix(GS)


@given(labels())
@settings(max_examples=examples(200))
def test_what_is_written_is_read(elements: list[tuple[str, str]]) -> None:
    code = read_code("]d2" + raw(elements), has_separators=True)
    assert list(code.elements) == elements
    values = dict(elements)
    wanted = ("21", values["21"]) if "21" in values else ("10", values["10"]) if "10" in values else ("", "")
    assert code.identifier is not None
    assert (code.identifier.key, code.identifier.qualifier_ai, code.identifier.qualifier) == (values["01"], *wanted)


@given(labels())
@settings(max_examples=examples(200))
def test_a_lost_separator_is_never_guessed(elements: list[tuple[str, str]]) -> None:
    """Without its separators a label is refused, or means what it meant: only free texts (240) can hide in others."""
    if any(ai == "240" for ai, _ in elements):
        return
    try:
        code = read_code("]d2" + raw(elements).replace(GS, ""))
    except UnreadableCode:
        return
    assert dict(code.elements) == dict(elements)


@given(labels(), st.data())
@settings(max_examples=examples(200))
def test_no_damage_is_an_error_of_ours(elements: list[tuple[str, str]], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(["", "]d2", "]C1", "("])) + raw(elements)
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    try:
        code = read_code(damaged)
    except UnreadableCode:
        return
    for ai, value in code.elements:
        assert fits(ai, value)
        assert fault_of(ai, value) is None


@given(labels())
@settings(max_examples=examples(200))
def test_another_reader_splits_alike(elements: list[tuple[str, str]]) -> None:
    """biip, which reads the same General Specifications by its own table."""
    message = GS1Message.parse(raw(elements))
    code = read_code("]d2" + raw(elements), has_separators=True)
    assert [(one.ai.ai, one.value) for one in message.element_strings] == list(code.elements)
