"""The processes of an instance: worker, API, dashboard; how each is started and when it is ready."""

from __future__ import annotations

import importlib.util
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from instance.creation import create_token, list_tokens, revoke_token
from instance.settings import Settings
from lotline.errors import UnavailableError
from lotline.signing_in import codes_file
from lotline.supervisor import Service
from relay.heartbeat import STALE_SECONDS, Heartbeat, process_lives, read_heartbeat

UI_HOST = "127.0.0.1"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
DASHBOARD_LABEL = "dashboard started by `lotline up`"
_PROBE_SECONDS = 2.0
# One is at work on a large batch, the other on a large request, at most for so long; then it hangs.
_WORKER_PATIENCE = 90.0
_API_PATIENCE = 45.0
_SIGN_SECONDS = 20.0
# A worker whose event loop had no turn for so long hangs, though its thread reports.
_TURN_PATIENCE = 120.0


def worker(settings: Settings) -> Service:
    """Writes the ledger and the read model."""
    started = time.time()
    return Service(
        "worker",
        [sys.executable, "-m", "relay.worker", "--home", str(settings.home)],
        ready=lambda: _beats_since(settings, started),
        sign=lambda: _beat(settings),
        patience=_WORKER_PATIENCE,
    )


def api(settings: Settings) -> Service:
    """Answers HTTP."""
    return Service(
        "api",
        [sys.executable, "-m", "api.server", "--home", str(settings.home)],
        ready=lambda: _answers(f"{settings.url}/health"),
        url=settings.url,
        sign=lambda: _answer(f"{settings.url}/health"),
        patience=_API_PATIENCE,
    )


def dashboard(settings: Settings, port: int, token: str) -> Service:
    """Shows it all in a browser, to those who are signed in. The token is for links that sign in once; it goes by environment,
    which only its owner can read."""
    url = f"http://{UI_HOST}:{port}"
    command = [
        sys.executable, "-m", "streamlit", "run", str(dashboard_script()),
        f"--server.port={port}", f"--server.address={UI_HOST}", "--server.headless=true",
        "--server.fileWatcherType=none", "--browser.gatherUsageStats=false",
        *(f"--server.allowedHosts={name}" for name in (*_LOOPBACK, *settings.http.allowed_hosts)),
        "--client.toolbarMode=minimal", "--client.showErrorDetails=none", "--theme.primaryColor=#0f766e", "--theme.base=light",
    ]  # fmt: skip
    return Service(
        "dashboard",
        command,
        ready=lambda: _answers(f"{url}/_stcore/health"),
        environment={
            "LOTLINE_API_URL": settings.url,
            "LOTLINE_TOKEN": token,
            "LOTLINE_SIGN_IN": str(codes_file(settings)),
        },
        url=url,
        sign=lambda: _answer(f"{url}/_stcore/health"),
        patience=_API_PATIENCE,
    )


def watcher(settings: Settings) -> Service:
    """Looks again and again whether somebody changed blocks, world state or tables."""
    command = [sys.executable, "-m", "auditing.watcher", "--home", str(settings.home)]
    return Service("watcher", command, ready=lambda: True)


def certificates(settings: Settings) -> Service:
    """Renews the certificates of the network that belongs to the instance."""
    command = [sys.executable, "-m", "lotline.renewing", "--home", str(settings.home)]
    return Service("certificates", command, ready=lambda: True)


def check_port(host: str, port: int, what: str, hint: str) -> None:
    """`UnavailableError` when somebody listens there already: what answers would not be ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UnavailableError(f"{what} can't listen on {host}, port {port}: {error.strerror}", hint=hint) from None


def dashboard_script() -> Path:
    """Where the dashboard's code lies; found without importing it."""
    spec = importlib.util.find_spec("ui")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("server.py")


def dashboard_token(settings: Settings) -> str:
    """A fresh analyst token; the one an earlier run used, if any, stops working."""
    revoke_dashboard_tokens(settings)
    return create_token(settings, "analyst", "analyst", label=DASHBOARD_LABEL)


def revoke_dashboard_tokens(settings: Settings) -> None:
    """No token outlives the dashboard it was made for."""
    for token in list_tokens(settings):
        if token.label == DASHBOARD_LABEL and token.revoked_at is None:
            revoke_token(settings, token.id)


def beating(settings: Settings) -> Heartbeat | None:
    """The worker's last sign of life, if it is fresh and the worker still there."""
    heartbeat = read_heartbeat(settings.heartbeat_file)
    if heartbeat is None or time.time() - heartbeat.at > STALE_SECONDS or not process_lives(heartbeat.pid):
        return None
    return heartbeat


def _beats_since(settings: Settings, started: float) -> bool:
    heartbeat = beating(settings)
    return heartbeat is not None and heartbeat.at >= started


def _beat(settings: Settings) -> object | None:
    """The time of the worker's last report, unless it says that it does not get on."""
    heartbeat = read_heartbeat(settings.heartbeat_file)
    return None if heartbeat is None or heartbeat.busy_seconds > _TURN_PATIENCE else (heartbeat.pid, heartbeat.at)


def _answer(url: str) -> object | None:
    """Something new whenever the server answers."""
    return time.monotonic() if _answers(url, _SIGN_SECONDS) else None


def _answers(url: str, seconds: float = _PROBE_SECONDS) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:  # noqa: S310
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
