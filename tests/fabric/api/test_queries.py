"""The API's own tests of queries on a real network: not a line of them differs."""

# ruff: noqa: F403
from __future__ import annotations

import pytest

from tests.integration.api.test_queries import *

pytestmark = pytest.mark.fabric
