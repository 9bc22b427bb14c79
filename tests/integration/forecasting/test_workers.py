"""Fits in processes of their own: what hangs is killed, what dies is replaced."""

from __future__ import annotations

import os
import time

import numpy as np
import pandas as pd
import pytest

from forecasting.models import MODELS, forecast_origins
from forecasting.workers import Task, run_all


def double(value: int) -> int:
    return 2 * value


def hang() -> None:
    time.sleep(3600)


def die() -> None:
    os._exit(3)


def fail() -> None:
    raise ValueError("no such season")


def test_every_task_gets_its_answer_whatever_the_others_do() -> None:
    tasks = [Task("hang", hang, ()), Task("die", die, ()), Task("fail", fail, ())]
    tasks += [Task(n, double, (n,)) for n in range(20)]
    results = {
        result.key: result for result in run_all(tasks, 2, 10.0)
    }  # a process takes a while to start on a busy machine
    assert {n: results[n].value for n in range(20)} == {n: 2 * n for n in range(20)}
    assert results["hang"].failure == "it took too long"
    assert results["die"].failure == "the worker process died"
    assert results["fail"].failure == "ValueError: no such season"


def test_nothing_is_begun_after_the_end() -> None:
    assert list(run_all([Task(1, double, (1,))], 2, 1.0, until=time.monotonic())) == []


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_gives_a_finite_forecast_twice_the_same(name: str) -> None:
    generator = np.random.default_rng(2)
    y = np.maximum(50 + 10 * np.sin(np.arange(120) * 2 * np.pi / 7) + generator.normal(0, 3, 120), 0)
    dates = pd.date_range("2024-01-01", periods=120, freq="D", tz="UTC")
    first = forecast_origins(name, y, 7, 14, dates, (100, 120))
    again = forecast_origins(name, y, 7, 14, dates, (100, 120))
    assert [len(forecast) for forecast in first] == [14, 14]
    assert all(np.isfinite(forecast).all() for forecast in first)
    assert all(np.allclose(one, other) for one, other in zip(first, again, strict=True))
    # nobody is far from a series as calm as this
    assert np.abs(first[-1] - 50).max() < 40
