"""A chaincode process that its environment does not tell what to do says so and ends."""

from __future__ import annotations

import pytest

from fabric.shim import serve
from tests.integration.ledger.notebook import Notebook

SAID = {"CHAINCODE_ID": "notebook:ab", "CHAINCODE_SERVER_ADDRESS": "127.0.0.1:0"}


@pytest.mark.parametrize("missing", sorted(SAID))
def test_what_and_where_must_be_said(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in SAID.items():
        monkeypatch.setenv(name, "" if name == missing else value)
    assert serve(Notebook()) == 2
    assert missing in capsys.readouterr().err


@pytest.mark.parametrize("said", ["0", "-1", "many", "1.5"])
def test_no_transaction_at_a_time_is_no_answer(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**SAID, "CHAINCODE_CONCURRENCY": said}.items():
        monkeypatch.setenv(name, value)
    assert serve(Notebook()) == 2
    assert f"CHAINCODE_CONCURRENCY is a number of transactions, at least 1, not {said!r}" in capsys.readouterr().err
