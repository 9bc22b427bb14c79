"""How often a token may ask."""

from __future__ import annotations

import pytest

from api.problems import ApiError
from api.rates import BURST_SECONDS, Rates


def test_a_token_that_asks_too_often_waits_and_others_do_not() -> None:
    now = [0.0]
    rates = Rates(10, clock=lambda: now[0])
    for _ in range(int(10 * BURST_SECONDS)):
        rates.take("busy")
    with pytest.raises(ApiError) as refused:
        rates.take("busy")
    assert refused.value.status_code == 429
    assert refused.value.headers == {"Retry-After": "1"}
    assert "10 times a second" in str(refused.value.detail)
    rates.take("other")
    now[0] += 0.1
    rates.take("busy")
    with pytest.raises(ApiError):
        rates.take("busy")


def test_a_slow_rate_tells_how_long_to_wait() -> None:
    rates = Rates(0.01, clock=lambda: 0.0)
    rates.take("one")
    with pytest.raises(ApiError) as refused:
        rates.take("one")
    assert refused.value.headers == {"Retry-After": "100"}


def test_what_is_kept_of_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.rates._MOST_KEPT", 3)
    now = [0.0]
    rates = Rates(10, clock=lambda: now[0])
    for number in range(100):
        now[0] += BURST_SECONDS
        rates.take(str(number))
    assert len(rates._buckets) <= 3
