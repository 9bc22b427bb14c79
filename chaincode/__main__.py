"""Serves the contract to peers: ``python -m chaincode``, with the environment that ``fabric.shim.serving`` names."""

from __future__ import annotations

import argparse
import gc
import os
import sys

from chaincode.contract import Lotline
from fabric.shim import serve, serving


def _tune() -> None:
    """A transaction makes many records and no cycles: looking for cycles all the time costs a tenth of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    argparse.ArgumentParser(
        prog="python -m chaincode",
        description="Serve Lotline's contract to the peer beside which it runs, until SIGTERM.",
        epilog=serving.ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    os.umask(0o077)
    _tune()
    return serve(Lotline(), concurrency=1)


if __name__ == "__main__":
    sys.exit(main())
