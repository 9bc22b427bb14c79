"""A contract as a process: served as its environment says, until it is told to end. ``ENVIRONMENT`` says how."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from fabric.shim.memory import keep_memory
from fabric.shim.server import ChaincodeServer, TLSFiles
from fabric.shim.stream import Contract

ENVIRONMENT = """environment:
  CHAINCODE_ID              label:sha256, as it is installed
  CHAINCODE_SERVER_ADDRESS  host:port
  CHAINCODE_TLS_KEY, CHAINCODE_TLS_CERT
                            files, for TLS
  CHAINCODE_CLIENT_CA_CERT  file; demands the peer's certificate
  CHAINCODE_CONCURRENCY     transactions at a time
"""
_UNSAID = "set CHAINCODE_ID to the package id and CHAINCODE_SERVER_ADDRESS to host:port"


def serve(contract: Contract, concurrency: int = 32) -> int:
    """Serve until SIGTERM or SIGINT; the exit code, which is 2 where the environment does not say what and where.

    ``concurrency``: transactions at a time, if the environment does not say. Python computes one at a time in any case,
    so more than one pays only for what a contract waits for.
    """
    package_id = os.environ.get("CHAINCODE_ID")
    address = os.environ.get("CHAINCODE_SERVER_ADDRESS")
    if not package_id or not address:
        return _refuse(_UNSAID)
    said = os.environ.get("CHAINCODE_CONCURRENCY") or str(concurrency)
    if not said.isdecimal() or int(said) < 1:
        return _refuse(f"CHAINCODE_CONCURRENCY is a number of transactions, at least 1, not {said!r}")
    keep_memory()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with ChaincodeServer(contract, package_id, address, _tls(), int(said)) as server:
        print(f"serving {package_id} on port {server.port}", flush=True)
        done.wait()
    return 0


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


def _tls() -> TLSFiles | None:
    key, certificate = os.environ.get("CHAINCODE_TLS_KEY"), os.environ.get("CHAINCODE_TLS_CERT")
    if not key or not certificate:
        return None
    authority = os.environ.get("CHAINCODE_CLIENT_CA_CERT")
    return TLSFiles(Path(key), Path(certificate), Path(authority) if authority else None)
