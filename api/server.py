"""The HTTP process. Run it with ``python -m api.server --home DIR``.

One process on one event loop: what is slow happens in other processes, and one loop takes far more scans a
second than a ledger does.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from api import logs
from api.app import create_app
from api.settings import Settings, SettingsError, load_settings

# Time for requests under way when the process is told to stop.
GRACE_SECONDS = 10


def serve(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished."""
    config = uvicorn.Config(
        create_app(settings),
        host=host or settings.http.host,
        port=settings.http.port if port is None else port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
    )
    # What was loaded so far stays: without it a full collection stops every request for 50 ms, with it for 1 ms.
    gc.collect()
    gc.freeze()
    uvicorn.Server(config).run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the process. 2 when there is no instance."""
    parser = argparse.ArgumentParser(prog="python -m api.server", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the instance's directory")
    parser.add_argument("--host", help="address to listen on; by default the configured one")
    parser.add_argument("--port", type=int, help="port to listen on; by default the configured one")
    options = parser.parse_args(arguments)
    logs.configure("http")
    try:
        settings = load_settings(options.home)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    serve(settings, host=options.host, port=options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
