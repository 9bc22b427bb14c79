"""One simulated network for all tests of forecasting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

import readmodel
from instance.creation import load_settings
from tests.integration.lotline.run import answer


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Its read model, filled through the embedded ledger."""
    home = tmp_path_factory.mktemp("forecasting") / "home"
    made = answer(home, "simulate", "--events", "5000", "--days", "240", "--seed", "5", "--end", "2026-05-01")
    assert made["rejected"] == 0
    engine = readmodel.open_engine(load_settings(home).readmodel_url)
    yield engine
    engine.dispose()
