"""What an event says: read to its end, or refused with the member that is to blame; and what follows from it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodel.consequences import consequences
from readmodel.told import Named, Told, read_event, read_record
from readmodel.typed import UnreadableError

DIGEST = "ab" * 32
TIME = "2024-03-01T00:00:00.000Z"
CASE, ITEM = "https://id.gs1.org/00/095200000000000004", "https://id.gs1.org/01/09520001122330/21/1"
LOT = "https://id.gs1.org/01/09520001122330/10/L1"


def packed(action: str = "ADD", **more: Any) -> dict[str, Any]:
    return {"type": "AggregationEvent", "eventTime": TIME, "action": action, "parentID": CASE, **more}


def told(event: dict[str, Any]) -> Told:
    return read_event(event, orjson.dumps(event))


def test_numbers_that_no_float_holds_are_read_as_they_are_written() -> None:
    raw = b'{"event":{"action":"ADD","eventTime":"%s","quantityList":[{"epcClass":"urn:x","quantity":%s}],"type":"ObjectEvent"},"n":0}'
    for written, millionths in ((b"123456789012.123456", 123456789012123456), (b"0.1", 100_000), (b"1e308", 10**314)):
        record = read_record([DIGEST], raw % (TIME.encode(), written))
        assert record is not None
        assert record.told.named == [Named("urn:x", "quantityList", millionths, None)]


def test_a_declaration_that_came_before_its_event_leaves_a_mark_that_is_no_event() -> None:
    assert read_record([DIGEST], b'{"v":2,"awaited":{"M":["x"]}}') is None


def test_an_event_of_a_type_of_its_own_has_none_of_the_standards_members() -> None:
    event = {
        "type": "https://example.com/E",
        "eventTime": TIME,
        "epcList": [ITEM],
        "bizStep": "shipping",
        "readPoint": 5,
    }
    found = told(event)
    assert (found.type, found.named, found.step, found.read_point) == ("https://example.com/E", [], None, None)


@given(
    st.dictionaries(
        st.sampled_from(
            ["type", "eventTime", "action", "epcList", "quantityList", "parentID", "bizStep", "readPoint", "sourceList"]
        ),
        st.recursive(
            st.none()
            | st.booleans()
            | st.floats()
            | st.integers()
            | st.sampled_from(["ObjectEvent", TIME, "ADD", ITEM]),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "epcClass"]), inner),
            max_leaves=4,
        ),
    )
)
def test_any_members_read_or_are_refused(event: dict[str, Any]) -> None:
    try:
        read_event(event, b"{}")
    except UnreadableError as error:
        said = str(error)
    else:
        return
    assert ": " in said


def rows(event: dict[str, Any]) -> list[tuple[str | None, str | None, str, str, int | None, str | None]]:
    found = consequences(1, DIGEST, told(event), "M", None).packings
    return [(row.child, row.parent, row.action, row.mark[0], row.quantity, row.uom) for row in found]


def test_what_one_event_says_of_one_class_is_one_statement_in_its_base_unit() -> None:
    some = [{"epcClass": LOT, "quantity": 1.5, "uom": "KGM"}, {"epcClass": LOT, "quantity": 500, "uom": "KGM"}]
    assert rows(packed(childQuantityList=some)) == [(LOT, CASE, "ADD", "2", 501_500_000, "KGM")]
    assert rows(packed(childQuantityList=[{"epcClass": LOT, "quantity": 500, "uom": "GRM"}])) == [
        (LOT, CASE, "ADD", "2", 500_000, "KGM")
    ]


def test_nothing_is_in_itself() -> None:
    assert rows(packed(childEPCs=[CASE, ITEM])) == [(ITEM, CASE, "ADD", "2", None, None)]
    assert rows(packed("DELETE", childEPCs=[CASE])) == []
    assert rows(packed("DELETE")) == [(None, CASE, "DELETE", "1", None, None)]


@pytest.mark.parametrize(
    ("step", "action", "expected"),
    [
        ("shipping", "OBSERVE", [(ITEM, None, "MOVE", "3", None, None)]),
        ("receiving", "OBSERVE", [(ITEM, None, "MOVE", "4", None, None)]),
        ("accepting", "OBSERVE", [(ITEM, None, "MOVE", "5", None, None)]),
        ("void_shipping", "OBSERVE", []),
        ("storing", "OBSERVE", []),
        ("destroying", "DELETE", [(ITEM, None, "DELETE", "8", None, None)]),
    ],
)
def test_what_leaves_by_itself(step: str, action: str, expected: list[Any]) -> None:
    assert (
        rows({"type": "ObjectEvent", "eventTime": TIME, "action": action, "bizStep": step, "epcList": [ITEM]})
        == expected
    )
