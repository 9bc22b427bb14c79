"""Serves the contract, whose ``capture`` does not answer until a file is there: ``… hesitant_server FILE``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from chaincode.contract import Lotline
from fabric.shim import FabricStub, serve
from fabric.words.response import Response, ok


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


if __name__ == "__main__":
    sys.exit(serve(Hesitant(Path(sys.argv[1]))))
