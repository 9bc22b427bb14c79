"""Serves the contract, whose ``capture`` does not answer until a file is there: ``… hesitant_server FILE``."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from chaincode.contract import Lotline
from chaincode.response import Response, ok
from chaincode.shim import ChaincodeServer, FabricStub, TLSFiles


class Hesitant:
    """The contract, when it may."""

    def __init__(self, permission: Path) -> None:
        self._permission = permission
        self._contract = Lotline()

    def init(self, stub: FabricStub) -> Response:
        return ok()

    def invoke(self, stub: FabricStub) -> Response:
        while stub.get_function_and_parameters()[0] == "capture" and not self._permission.exists():
            time.sleep(0.02)
        return self._contract.invoke(stub)


def main() -> None:
    """Serve until SIGTERM."""
    files = [Path(os.environ[f"CHAINCODE_{name}"]) for name in ("TLS_KEY", "TLS_CERT", "CLIENT_CA_CERT")]
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    contract = Hesitant(Path(sys.argv[1]))
    address = os.environ["CHAINCODE_SERVER_ADDRESS"]
    with ChaincodeServer(contract, os.environ["CHAINCODE_ID"], address, TLSFiles(*files)):
        ended.wait()


if __name__ == "__main__":
    main()
