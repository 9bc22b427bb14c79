"""Fixtures shared by every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input documents (``LOTLINE_DATA``); its tests are skipped where it is absent."""
    path = Path(os.environ.get("LOTLINE_DATA", _DEFAULT_DATA))
    if not (path / "epcis").is_dir():
        pytest.skip(f"no input data at {path}: set LOTLINE_DATA to a folder that holds epcis/ and forecasting/")
    return path
