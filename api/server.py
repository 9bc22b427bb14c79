"""The HTTP process. Run it with ``python -m api.server --home DIR``.

One process on one event loop: what is slow happens in other processes, and one loop takes far more scans a
second than a ledger does.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn

from api.app import create_app
from api.connections import Connections
from instance import logs
from instance.settings import Settings, SettingsError, load_settings

# Time for requests under way when the process is told to stop.
GRACE_SECONDS = 10
_OTHER_FILES = 100
"""Open files that are no connections: databases, logs, other processes."""


def serve(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished."""
    app = create_app(settings)

    def observe(status: int) -> None:
        app.state.metrics.observe("other", "(refused)", status, 0.0)

    connections = Connections(settings.http, most=_room_for(settings.http.connections), observe=observe)
    config = uvicorn.Config(
        app,
        host=host or settings.http.host,
        port=settings.http.port if port is None else port,
        loop="uvloop",
        http=connections.protocol(),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
    )
    # What was loaded so far stays: without this, a full collection stops every request for 50 ms.
    gc.collect()
    gc.freeze()
    _Server(config).run()


def _room_for(connections: int) -> int:
    """So many connections, or as many as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = connections if soft == resource.RLIM_INFINITY else soft - _OTHER_FILES
    return max(1, min(connections, room if room > 0 else soft // 2))


class _Server(uvicorn.Server):
    """Ends with exit code 0 after a signal; uvicorn's own sends itself the signal again at the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {sign: signal.signal(sign, self.handle_exit) for sign in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sign, handler in before.items():
                signal.signal(sign, handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the process. 2 when there is no instance."""
    os.umask(0o077)
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
    if settings.left_behind:
        print(settings.left_behind, file=sys.stderr)
        return 2
    serve(settings, host=options.host, port=options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
