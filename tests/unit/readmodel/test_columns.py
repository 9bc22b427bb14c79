from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodel.columns import QUANTITY_LIMIT, from_micros, to_micros, to_millionths


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
    [(0.1, 100_000), (3, 3_000_000), ("1e99", QUANTITY_LIMIT * 10**6), ("-1e99", -QUANTITY_LIMIT * 10**6)],
)
def test_claims_beyond_the_limit_count_as_the_limit(quantity: str | float, expected: int) -> None:
    assert to_millionths(quantity) == expected


@pytest.mark.parametrize("nonsense", ["", "many", "NaN", "sNaN", float("nan")])
def test_what_is_no_number_counts_as_nothing(nonsense: str | float) -> None:
    assert to_millionths(nonsense) == 0


@pytest.mark.parametrize("endless", ["Infinity", float("inf"), "1e999999"])
def test_endless_quantities_count_as_the_limit(endless: str | float) -> None:
    assert to_millionths(endless) == QUANTITY_LIMIT * 10**6
