"""The API's own tests of event query on a real network: not a line of them differs."""

# ruff: noqa: F403
from __future__ import annotations

import pytest

from tests.integration.api.test_event_query import *

pytestmark = pytest.mark.fabric
