import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodel.columns import as_stored, from_micros, to_micros, to_millionths, units


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_keep_every_microsecond(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment


def test_zones_name_the_same_moment() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert to_micros(datetime(2024, 1, 1, 5, 30, tzinfo=zone)) == to_micros(datetime(2024, 1, 1, tzinfo=UTC))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_micros(datetime(2024, 1, 1))


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6))
def test_quantities_are_exact_to_the_millionth(quantity: Decimal) -> None:
    assert to_millionths(str(quantity)) == int(quantity * 1_000_000)
    assert Decimal(to_millionths(quantity)) / 1_000_000 == quantity


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (0.1, 100_000),
        (3, 3_000_000),
        ("1e99", 10**105),
        ("-1e99", -(10**105)),
        (1e308, 10**314),
        (123456789012345678, 123456789012345678000000),
        (Decimal("123456789012345678.123456"), 123456789012345678123456),
        ("0.0000005", 0),
        ("0.0000015", 2),
        ("1e-999999", 0),
    ],
)
def test_quantities_have_any_size(quantity: str | float, expected: int) -> None:
    assert to_millionths(quantity) == expected


@pytest.mark.parametrize(
    "nonsense", ["", "many", "NaN", "sNaN", float("nan"), "Infinity", float("inf"), "1e999999", "9" * 1_000]
)
def test_what_is_no_number_of_things_is_refused(nonsense: str | float) -> None:
    with pytest.raises(ValueError, match=r"number|quantity|digits"):
        to_millionths(nonsense)


@given(st.integers())
def test_what_fits_no_integer_is_kept_as_its_digits(millionths: int) -> None:
    stored = as_stored(millionths)
    assert int(stored) == millionths
    assert isinstance(stored, int) == (-(2**63) <= millionths < 2**63)


def test_what_no_float_can_say_is_the_largest_that_one_can() -> None:
    assert units(10**400) == sys.float_info.max
    assert units(-(10**400)) == -sys.float_info.max
    assert units(1_500_000) == 1.5
