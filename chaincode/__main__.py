"""Serves the contract to peers: ``python -m chaincode``.

Environment: ``CHAINCODE_ID`` (label:sha256, as installed), ``CHAINCODE_SERVER_ADDRESS`` (host:port), and for TLS
``CHAINCODE_TLS_KEY``, ``CHAINCODE_TLS_CERT`` and, to demand the peer's certificate, ``CHAINCODE_CLIENT_CA_CERT`` (files).
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from pathlib import Path

from chaincode.contract import Lotline
from chaincode.shim import ChaincodeServer, TLSFiles


def _tls() -> TLSFiles | None:
    key, certificate = os.environ.get("CHAINCODE_TLS_KEY"), os.environ.get("CHAINCODE_TLS_CERT")
    if not key or not certificate:
        return None
    authority = os.environ.get("CHAINCODE_CLIENT_CA_CERT")
    return TLSFiles(Path(key), Path(certificate), Path(authority) if authority else None)


def _tune() -> None:
    """A transaction makes many records and no cycles: looking for cycles all the time costs a tenth of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    package_id = os.environ.get("CHAINCODE_ID")
    address = os.environ.get("CHAINCODE_SERVER_ADDRESS")
    if not package_id or not address:
        print("set CHAINCODE_ID to the package id and CHAINCODE_SERVER_ADDRESS to host:port", file=sys.stderr)
        return 2
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    _tune()
    with ChaincodeServer(Lotline(), package_id, address, _tls()) as server:
        print(f"serving {package_id} on port {server.port}", flush=True)
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
