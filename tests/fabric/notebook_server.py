"""Serves the notebook contract of the ledger port's suite to peers."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from chaincode.shim import ChaincodeServer, TLSFiles
from tests.integration.ledger.notebook import Notebook

files = [Path(os.environ[f"CHAINCODE_{name}"]) for name in ("TLS_KEY", "TLS_CERT", "CLIENT_CA_CERT")]
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
with ChaincodeServer(Notebook(), os.environ["CHAINCODE_ID"], os.environ["CHAINCODE_SERVER_ADDRESS"], TLSFiles(*files)):
    ended.wait()
