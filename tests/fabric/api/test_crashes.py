"""The API's own tests of crashes on a real network: not a line of them differs, only the number of kills."""

# ruff: noqa: F403
from __future__ import annotations

import pytest

from tests.integration.api.test_crashes import *

pytestmark = pytest.mark.fabric


@pytest.fixture(name="kills")
def fewer_kills() -> int:
    return 3
