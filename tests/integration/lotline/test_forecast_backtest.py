"""`lotline forecast backtest FILE`: an answer that stays the same, and clear words for what cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.integration.lotline.run import answer, lotline


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where finished pieces lie while the work is not whole."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    generator = np.random.default_rng(3)
    dates = pd.date_range("2020-01-01", periods=36, freq="MS")
    promo = (generator.random((4, 36)) < 0.2).astype(int)
    season = 20 * np.sin(np.arange(36) * np.pi / 6)
    y = 100 + season + 40 * promo + generator.normal(0, 4, (4, 36))
    frames = [pd.DataFrame({"unique_id": f"s{n}", "ds": dates, "y": y[n], "promo": promo[n]}) for n in range(4)]
    path = tmp_path / "demand.csv"
    pd.concat(frames).to_csv(path, index=False)
    return path


def test_the_answer_has_scores_weights_and_findings(table: Path, tmp_path: Path, cache: Path) -> None:
    out = tmp_path / "forecasts.parquet"
    call = ("forecast", "backtest", str(table), "--horizon", "6", "--origins", "1", "--regressors", "promo")
    found = answer(tmp_path / "home", *call, "--out", str(out))
    assert set(found) == {
        "file", "fileDigest", "workDigest", "recipe", "frequency", "season", "maseLag", "horizon", "origins", "step", "series",
        "regressors", "pastRegressors", "groups", "country", "combination", "members", "byOrigin", "weights", "failures", "findings",
    }  # fmt: skip
    assert set(found["combination"]) == {
        "mase", "rmse", "rmsse", "wape", "bias", "n", "coverage80", "coverage95", "coverageP90", "msis", "pinball"
    }  # fmt: skip
    assert {"naive", "seasonal_naive", "prophet", "regression", "boosted", "theta"} <= set(found["members"])
    assert found["combination"]["mase"] < found["members"]["naive"]["mase"]
    assert found["regressors"] == ["promo"]
    assert (found["frequency"], found["season"], found["maseLag"], found["step"]) == ("MS", 12, 12, 6)
    rows = pd.read_parquet(out)
    assert len(rows) == 24
    assert {
        "unique_id",
        "cutoff",
        "ds",
        "horizon",
        "y",
        "combination",
        "lo80",
        "hi95",
        "q0.9",
        "weight_prophet",
    } <= set(rows)
    assert answer(tmp_path / "home", *call, "--processes", "1") == found
    assert not list(cache.rglob("*.sqlite"))
    assert not (tmp_path / "home").exists()  # no instance is needed


def test_people_read_a_table(table: Path, tmp_path: Path) -> None:
    said = lotline(tmp_path, "forecast", "backtest", str(table), "--horizon", "3", "--origins", "1")
    assert "combination" in said.stdout
    assert "80 % intervals held" in said.stdout
    assert "ignored column (1): promo: not named as regressors" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--regressors", "price"), "column price is missing; the file has unique_id, ds, y, promo"),
        (("--country", "XX"), "no holidays are known of the country XX"),
        (("--origins", "40"), "no series is longer than"),
        (("--out", "/nowhere/at/all.csv"), "there is no folder /nowhere/at"),
    ],
)
def test_what_cannot_be_done_is_said(table: Path, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    code = 2 if "--out" in arguments else 1
    said = lotline(tmp_path, "forecast", "backtest", str(table), "--horizon", "6", *arguments, code=code)
    assert words in said.stderr
    assert not list(tmp_path.rglob("*.part"))


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "noise.csv"
    path.write_bytes(bytes(range(256)) * 20)
    assert "noise.csv" in lotline(tmp_path, "forecast", "backtest", str(path), "--horizon", "6", code=1).stderr
