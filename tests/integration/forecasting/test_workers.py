"""Pieces of work in processes of their own: what dies is tried again, and harms nobody else."""

from __future__ import annotations

import os
from pathlib import Path

from forecasting.workers import run_all


def work(shared: str, piece: tuple[str, int]) -> int:
    what, number = piece
    if what == "fail":
        raise ValueError("no such season")
    if what == "die":
        os._exit(3)
    if what == "die once" and not (Path(shared) / "died").exists():
        (Path(shared) / "died").touch()
        os._exit(3)
    return 2 * number


def test_every_piece_gets_its_answer_whatever_the_others_do(tmp_path: Path) -> None:
    pieces = [("die", 0), ("fail", 0), ("die once", 21), *(("double", n) for n in range(20))]
    results = {result.key: result for result in run_all(pieces, work, str(tmp_path), 2)}
    assert {n: results[("double", n)].value for n in range(20)} == {n: 2 * n for n in range(20)}
    assert results[("die", 0)].failure == "the worker process died"
    assert results[("fail", 0)].failure == "ValueError: no such season"
    assert results[("die once", 21)].value == 42


def test_without_work_nothing_is_started() -> None:
    assert list(run_all([], work, "", 2)) == []
