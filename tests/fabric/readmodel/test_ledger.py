"""The read model's own tests of a real ledger on a real network: not a line of them differs."""

# ruff: noqa: F403
from __future__ import annotations

import pytest

from tests.integration.readmodel.test_ledger import *

pytestmark = pytest.mark.fabric

# a network's chain is longer than any other here: test_network.py has another one meet it
del test_a_reset_ledger_is_noticed  # noqa: F821
