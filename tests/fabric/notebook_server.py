"""Serves the notebook contract of the ledger port's suite to peers."""

from __future__ import annotations

import sys

from fabric.shim import serve
from tests.integration.ledger.notebook import Notebook

sys.exit(serve(Notebook()))
