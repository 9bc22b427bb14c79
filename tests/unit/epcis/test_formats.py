from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epcis.formats import is_date_time, is_uri, parse_date_time, utc_micros, utc_microseconds, utc_milliseconds


@pytest.mark.parametrize("text", ["a:", "a:b", "urn:epc:id:x", "http://a", "http://a:/", "http://[::1]/", "http://[v1.a]",
                                  "http://a%41/?q#f", "a:///b", "example:name", "geo:47.5,11.1",
                                  "a+b-c.d:e", "a:'"])  # fmt: skip
def test_uris(text: str) -> None:
    assert is_uri(text)


@pytest.mark.parametrize("text", ["", "a", "1a:b", "a b:c", "a:b ", " a:b", "a:b\n", "http://a b",
"http://a:b/", "http://[::1",
                                  "http://[::g]", "http://[::1%25e]", "a:%", "a:%zz", "a:#f#g",
                                  "http://é.de", "a:{x}", "a:\\"])  # fmt: skip
def test_what_is_no_uri(text: str) -> None:
    assert not is_uri(text)


@pytest.mark.parametrize("text", ["2024-02-29T00:00:00Z", "2024-01-01t00:00:00.5z",
"2024-01-01T00:00:00.123456789+23:59",
                                  "2016-12-31T23:59:60Z", "2017-01-01T00:59:60.5+01:00",
                                  "9999-12-31T23:59:59.9999Z", "0001-01-01T00:00:00-10:00",
                                  "9999-12-31T23:59:59.9999+23:59"])  # fmt: skip
def test_date_times(text: str) -> None:
    assert is_date_time(text)
    assert parse_date_time(text).tzinfo is not None
    assert utc_milliseconds(text)


@pytest.mark.parametrize("text", ["", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z",
"2023-02-29T00:00:00Z",
                                  "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00+24:00",
                                  "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00.Z", "2024-01-01T00:00Z",
                                  "2024-01-01T00:00:00Z\n", "٢024-01-01T00:00:00Z", "0000-02-29T00:00:00Z",
                                  "0000-12-31T23:59:59-23:59", "0001-01-01T00:00:00+05:00",
                                  "9999-12-31T23:59:59-05:00", "9999-12-31T23:59:60Z",
                                  "0001-01-01T00:59:60+01:00"])  # fmt: skip
def test_what_is_no_date_time(text: str) -> None:
    assert not is_date_time(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-01T00:00:00.9996Z", "2020-01-01T00:00:01.000Z"),
        ("2020-01-01T00:00:00.9995Z", "2020-01-01T00:00:01.000Z"),
        ("2020-01-01T00:00:00.0005Z", "2020-01-01T00:00:00.001Z"),
        ("2020-01-01T00:00:00.0004999Z", "2020-01-01T00:00:00.000Z"),
        ("2020-01-01T00:00:00.1415Z", "2020-01-01T00:00:00.142Z"),
        ("2020-12-31T23:59:59.9999999+00:00", "2021-01-01T00:00:00.000Z"),
        ("2020-03-04T11:00:30+01:00", "2020-03-04T10:00:30.000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
    ],
)
def test_times_are_rounded_half_up(text: str, expected: str) -> None:
    assert utc_milliseconds(text) == expected


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)), st.integers(-839, 839))
def test_the_zone_a_time_is_written_in_does_not_matter(moment: datetime, minutes: int) -> None:
    here = moment.replace(tzinfo=UTC)
    there = here.astimezone(timezone(timedelta(minutes=minutes)))
    assert utc_milliseconds(there.isoformat()) == utc_milliseconds(here.isoformat())
    rounded = parse_date_time(utc_milliseconds(here.isoformat()))
    assert abs(rounded - here) <= timedelta(microseconds=500)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01T08:01:00.000Z", "2024-03-01T08:01:00.000000Z"),
        ("2024-03-01t08:01:00.120z", "2024-03-01T08:01:00.120000Z"),
        ("2024-03-01T08:01:00Z", "2024-03-01T08:01:00.000000Z"),
        ("2024-03-01T08:01:00.123456789+01:00", "2024-03-01T07:01:00.123456Z"),
        ("2016-12-31T23:59:60.000Z", "2017-01-01T00:00:00.000000Z"),
    ],
)
def test_times_in_utc_have_one_width(text: str, expected: str) -> None:
    assert utc_microseconds(text) == expected


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),
    st.sampled_from(["Z", "+00:00", "-11:30"]),
)
def test_milliseconds_are_the_same_in_every_form(moment: datetime, zone: str) -> None:
    """What is in the wanted form already is not read again: it must be what reading it would give."""
    text = moment.isoformat(timespec="milliseconds") + zone
    assert utc_microseconds(text) == parse_date_time(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(
        27, "0"
    )
    assert utc_milliseconds(text) == utc_microseconds(text)[:23] + "Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00.000001+01:00", 1),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2016-12-31T23:59:60.7Z", 1_483_228_800_000_000),
        ("2017-01-01T00:00:00Z", 1_483_228_800_000_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.9999999Z", 253_402_300_799_999_999),
    ],
)
def test_microseconds_since_1970(text: str, expected: int) -> None:
    assert utc_micros(text) == expected


def _two(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda number: f"{number:02d}")


@st.composite
def _nearly_times(draw: st.DrawFn) -> str:
    """Texts of the form of RFC 3339, at the edges of the calendar more often than not."""
    year = draw(st.sampled_from(["0000", "0001", "0002", "0004", "1970", "2016", "9998", "9999"]))
    day = draw(st.sampled_from(["01-01", "02-29", "06-30", "12-31"]))
    clock = draw(st.sampled_from(["00:00:00", "23:59:59", "23:59:60", "00:59:60", "12:30:01", "24:00:00"]))
    fraction = draw(st.sampled_from(["", ".0", ".9999999", ".000", ".123456789"]))
    sign = draw(st.sampled_from("+-"))
    zone = draw(st.just("Z") | st.builds(lambda h, m: f"{sign}{h}:{m}", _two(0, 23), _two(0, 59)))
    return f"{year}-{day}T{clock}{fraction}{zone}"


@given(_nearly_times(), _nearly_times())
def test_what_is_a_time_can_be_digested_by_whatever_comes_after(one: str, other: str) -> None:
    """Contract (text), read model (64 bits) and hash agree on which times there are and on their order."""
    times = [text for text in (one, other) if is_date_time(text)]
    for text in times:
        assert abs(utc_micros(text)) < 2**62
        assert len(utc_microseconds(text)) == 27
        assert utc_micros(utc_microseconds(text)) == utc_micros(text)
        assert utc_milliseconds(text)
    if len(times) == 2:
        assert (utc_micros(one) < utc_micros(other)) == (utc_microseconds(one) < utc_microseconds(other))
