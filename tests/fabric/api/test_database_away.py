"""The API's own test of a database that is away on a real network: not a line of it differs."""

from __future__ import annotations

import pytest

from tests.integration.api.test_database_away import (  # noqa: F401  fixtures
    database,
    instance,
    on_postgres,
    test_the_database_goes_away_under_load,
)

pytestmark = pytest.mark.fabric
