"""Tables of one's own: what is read, what is mended and said, what is refused and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecasting.file import Table, UnreadableError, read


def rows(name: str, dates: pd.DatetimeIndex, y: list[Any], **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"unique_id": name, "ds": dates.strftime("%Y-%m-%d"), "y": y, **more})


def days(count: int) -> pd.DatetimeIndex:
    return pd.date_range("2024-01-01", periods=count, freq="D")


def table(tmp_path: Path, *frames: pd.DataFrame, **options: Any) -> Table:
    path = tmp_path / "demand.csv"
    pd.concat(frames).to_csv(path, index=False)
    return read(path, **{"horizon": 7, **options})


def kinds(found: Table) -> dict[str, int]:
    return {one.kind: one.count for one in found.findings}


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    frame = rows("a|x", days(40), list(range(40)))
    one = table(tmp_path, frame)
    frame.assign(ds=pd.to_datetime(frame["ds"])).to_parquet(tmp_path / "demand.parquet")
    other = read(tmp_path / "demand.parquet", horizon=7)
    assert np.array_equal(one.panel.y, other.panel.y)
    assert one.panel.dates.equals(other.panel.dates)
    assert one.panel.y.shape == (1, 40)
    assert len(one.panel.dates) == 47


@pytest.mark.parametrize(
    ("freq", "code", "season"),
    [
        ("D", "D", 7),
        ("W-FRI", "W-FRI", 52),
        ("MS", "MS", 12),
        ("ME", "ME", 12),
        ("QS", "QS-JAN", 4),
        ("h", "h", 24),
        ("B", "B", 5),
    ],
)
def test_the_period_is_seen(tmp_path: Path, freq: str, code: str, season: int) -> None:
    dates = pd.date_range("2020-01-01", periods=60, freq=freq)
    frame = pd.DataFrame({"unique_id": "a", "ds": dates, "y": 1.0})
    frame.to_parquet(tmp_path / "one.parquet")
    found = read(tmp_path / "one.parquet", horizon=4).panel
    assert (found.frequency.code, found.frequency.season, found.y.shape[1]) == (code, season, 60)
    assert len(found.dates) == 64


def test_numbered_periods_have_no_calendar(tmp_path: Path) -> None:
    path = tmp_path / "numbered.csv"
    pd.DataFrame({"unique_id": "a", "ds": range(1, 31), "y": 2.0}).to_csv(path, index=False)
    found = read(path, horizon=3, season=4).panel
    assert not found.calendar
    assert (found.y.shape[1], found.frequency.season) == (30, 4)


def test_gaps_are_unknown_unless_zeros_were_left_out(tmp_path: Path) -> None:
    gap = table(tmp_path, rows("a", days(30), [5.0] * 30).drop(index=[10, 11]))
    assert np.flatnonzero(np.isnan(gap.panel.y[0])).tolist() == [10, 11]
    assert kinds(gap) == {"missing_periods": 2}
    sparse = table(tmp_path, rows("a", days(30), [5.0] * 30).iloc[::3], rows("b", days(30), [5.0] * 30))
    assert np.sum(sparse.panel.y[0] == 0) == 18
    assert "left out" in next(one.detail for one in sparse.findings if one.kind == "missing_periods")


def test_what_is_mended_is_said(tmp_path: Path) -> None:
    frame = rows("a", days(60), [5.0] * 57 + ["inf", None, 1e30])
    twice = pd.concat([frame, frame.iloc[:1], frame.iloc[1:2].assign(y=7.0)])
    found = table(tmp_path, twice, rows("young", days(2), [1, 2]))
    assert kinds(found) == {"duplicate": 4, "not_a_number": 2, "implausible": 1, "too_young": 2, "ends_differ": 1}
    a = found.panel.y[0]
    assert a[0] == 5  # an equal row counts once
    assert a[1] == 12  # another is a part of it
    assert np.isnan(a[57:]).all()
    assert np.isfinite(np.nanmax(found.panel.y))


def test_a_series_may_be_called_na(tmp_path: Path) -> None:
    found = table(tmp_path, rows("NA", days(20), [1.0] * 20), rows("null", days(20), [1.0] * 19 + ["NA"]))
    assert found.panel.ids == ("NA", "null")
    assert kinds(found) == {"not_a_number": 1}


def test_a_successor_has_its_predecessor_s_history(tmp_path: Path) -> None:
    old = rows("old", days(40), [8.0] * 40, predecessor="")
    new = rows("new", days(60)[40:], [9.0] * 20, predecessor="old")
    lost = rows("lost", days(60), [1.0] * 60, predecessor="never")
    found = table(tmp_path, old, new, lost)
    assert found.panel.y[found.panel.ids.index("new")].tolist() == [8.0] * 40 + [9.0] * 20
    assert {"inherited": 40, "no_predecessor": 1}.items() <= kinds(found).items()


def test_days_not_uploaded_are_no_demand_of_zero(tmp_path: Path) -> None:
    found = table(tmp_path, rows("a", days(200), [20] * 197 + [0] * 3))
    assert kinds(found) == {"zero_run": 3}
    assert np.isnan(found.panel.history(found.panel.ends)[0, -3:]).all()
    assert found.panel.ends.tolist() == [200]  # what is ahead begins after them


def test_names_and_columns_that_never_change_are_groups(tmp_path: Path) -> None:
    frames = [rows(f"shop{s}|item{i}", days(20), [1.0] * 20, region=f"r{s // 2}") for s in range(4) for i in range(3)]
    found = table(tmp_path, *frames)
    assert sorted(found.panel.groups) == ["name1", "name2", "region"]
    assert len(set(found.panel.groups["name2"])) == 3
    assert found.findings == []


def test_regressors_are_those_that_are_named(tmp_path: Path) -> None:
    extra = {"promo": [0, 1] * 15, "kind": ["a", "b", "0"] * 10, "visitors": list(range(30))}
    found = table(
        tmp_path, rows("a", days(30), [1.0] * 30, **extra), regressors=("promo", "kind"), past_regressors=("visitors",)
    )
    assert found.panel.known_names == ("promo", "kind=a", "kind=b")
    assert found.panel.known.shape == (1, 37, 3)
    assert np.isnan(found.panel.known[0, 30:]).all()
    assert found.panel.past_names == ("visitors",)
    ignored = table(tmp_path, rows("a", days(30), [1.0] * 30, **extra))
    assert kinds(ignored) == {"ignored_column": 3}


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"id": ["a"], "ds": ["2024-01-01"], "y": [1]}), "unique_id is missing; the file has id, ds, y"),
        (pd.DataFrame({"unique_id": [], "ds": [], "y": []}), "no rows"),
        (pd.DataFrame({"unique_id": ["a"] * 3, "ds": ["2024-01-01", "soon", "2024-01-03"], "y": 1}), "row 3: ds is 'soon'"),
        (pd.DataFrame({"unique_id": ["a"] * 3, "ds": days(3), "y": ["1", "many", "2"]}), "row 3: y is 'many'"),
        (pd.DataFrame({"unique_id": ["a"] * 2, "ds": days(2), "y": 1}), "fewer than three periods"),
        (pd.DataFrame({"unique_id": ["a", None, "a"], "ds": days(3), "y": 1}), "row 3 has no unique_id"),
        (pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024-01-01", periods=9, freq="11D"), "y": 1}), "11 days apart"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path, frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        table(tmp_path, frame)


def test_refusals_of_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="there is no file"):
        read(tmp_path / "absent.csv", horizon=3)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(UnreadableError, match="cannot be read as parquet"):
        read(tmp_path / "broken.parquet", horizon=3)
    with pytest.raises(UnreadableError, match="no holidays are known"):
        table(tmp_path, rows("a", days(20), [1.0] * 20), country="XX")
    with pytest.raises(UnreadableError, match="promo: either known ahead or not"):
        table(tmp_path, rows("a", days(20), [1.0] * 20, promo=1), regressors=("promo",), past_regressors=("promo",))
    with pytest.raises(UnreadableError, match="column price is missing"):
        table(tmp_path, rows("a", days(20), [1.0] * 20), regressors=("price",))
