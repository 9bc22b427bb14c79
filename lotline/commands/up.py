"""`lotline up`: run the instance."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Annotated, Literal

import typer

from instance.creation import load_settings
from instance.settings import CONFIG_FILE, DEFAULT_PORT, OrganisationConfig, Settings
from ledger.private import close_to_others
from lotline import services
from lotline.creation import create
from lotline.errors import UnavailableError, UsageError
from lotline.extras import require
from lotline.members import Port, require_port
from lotline.networks import create_on_network, network_of, raise_network
from lotline.output import Session, session
from lotline.signing_in import FIRST_SECONDS, new_link
from lotline.supervisor import READY_SECONDS, Service, Supervisor, is_up, running

app = typer.Typer()
LedgerKind = Literal["embedded", "fabric"]


@app.command()
def up(
    context: typer.Context,
    ui: Annotated[bool, typer.Option("--ui/--no-ui", help="With or without the dashboard.")] = True,
    ui_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the dashboard (default: the API's and one).")
    ] = None,
    port: Port = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready.")] = False,
    ledger: Annotated[
        LedgerKind | None,
        typer.Option(help="If there is no instance yet: make one with this ledger, `fabric` with its own network."),
    ] = None,
) -> None:
    """Run worker, API and dashboard until Ctrl-C (or `lotline down`); what crashes is started again.

    An instance on a Fabric network of this machine brings that up too; `lotline network down` stops it.
    """
    here = session(context)
    require_parts(ui)
    settings = _settings(here, ledger, port)
    close_to_others(settings.home)  # homes of earlier versions were open to others
    network = network_of(settings)
    if network is not None:
        raise_network(network, here.say)
    ui_port = dashboard_port(settings, ui_port)
    if detach:
        _detached(here, settings, ui, ui_port)
    else:
        run_instance(here, settings, ui=ui, ui_port=ui_port)


def require_parts(ui: bool) -> None:
    """Raises `UnavailableError` where what is to run is not installed."""
    require("the API", "api")
    if ui:
        require("the dashboard", "ui", "Or start without it: --no-ui.")


def _settings(here: Session, ledger: LedgerKind | None, port: int | None) -> Settings:
    """The instance's settings; a home without one gets one if ``ledger`` says which kind."""
    if ledger is None or (here.home / CONFIG_FILE).exists():
        settings = load_settings(here.home)
        if ledger not in (None, settings.ledger.kind):
            raise UsageError(
                f"the instance at {here.home} has the {settings.ledger.kind} ledger, not {ledger}",
                hint="Use another --home.",
            )
        require_port(settings, port)
        return settings
    if ledger == "embedded":
        create(here.home, [OrganisationConfig(msp_id="Org1MSP", name="First organisation")], port=port or DEFAULT_PORT)
    else:
        create_on_network(here, (), here.home, custody_policy="flag", port=port or DEFAULT_PORT, database_url="")
    return load_settings(here.home)


def dashboard_port(settings: Settings, wanted: int | None) -> int:
    """The dashboard's port: as asked, else next to the API's."""
    port = wanted or settings.http.port + 1
    if port == settings.http.port or port > 65535:
        raise UsageError(f"the dashboard can't use port {port}", hint="Choose another with --ui-port.")
    return port


def run_instance(here: Session, settings: Settings, *, ui: bool, ui_port: int) -> None:
    """Run until stopped; says where to look once everything is ready."""
    if is_up(settings.run_dir):
        raise _up_already()
    services.check_port(
        settings.http.host, settings.http.port, "the API", f"Choose another port in {settings.home / 'config.toml'}."
    )
    wanted: list[Service] = [services.worker(settings), services.api(settings)]
    if ui:
        services.check_port(
            services.UI_HOST, ui_port, "the dashboard", "Choose another with --ui-port, or use --no-ui."
        )
        wanted.append(services.dashboard(settings, ui_port, services.dashboard_token(settings)))
    if settings.ledger.network:
        wanted.append(services.certificates(settings))
    if settings.watch.minutes:
        wanted.append(services.watcher(settings))
    supervisor = Supervisor(settings.run_dir, settings.logs_dir, wanted, here.say)
    urls = {service.name: service.url for service in wanted if service.url}
    try:
        supervisor.run(on_ready=lambda: _announce(here, settings, urls))
    finally:
        if ui:
            services.revoke_dashboard_tokens(settings)


def _announce(here: Session, settings: Settings, urls: dict[str, str]) -> None:
    link = _link(settings, urls)
    here.answer({"home": str(settings.home), "urls": urls, "signIn": link})
    _show(here, urls, link)
    if "api" in urls:
        here.text(f"{'API docs':<10} {settings.url}/docs")
    here.say("Ctrl-C stops everything.")


def _link(settings: Settings, urls: dict[str, str]) -> str | None:
    """A way into the dashboard, for whoever started it."""
    return new_link(settings, urls["dashboard"], FIRST_SECONDS) if "dashboard" in urls else None


def _show(here: Session, urls: dict[str, str], link: str | None) -> None:
    for name, url in urls.items():
        here.text(f"{name:<10} {link if name == 'dashboard' and link else url}")
    if link:
        here.text(f"{'':<10} this link signs in once; `lotline signin` prints another one, a token works too")


def _detached(here: Session, settings: Settings, ui: bool, port: int) -> None:
    """Start the same command in the background and wait until it says that it is ready."""
    if is_up(settings.run_dir):
        raise _up_already()
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    log = settings.logs_dir / "up.out"
    arguments = ["--ui" if ui else "--no-ui", f"--ui-port={port}"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "lotline.cli", "--home", str(settings.home), "up", *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    services_wanted = 4 if ui else 3
    deadline = time.monotonic() + services_wanted * READY_SECONDS
    while not running(settings.run_dir).get("ready"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise UnavailableError("the instance did not start", hint=log.read_text(errors="replace"))
        time.sleep(0.1)
    urls = {name: entry["url"] for name, entry in _services(settings).items() if entry.get("url")}
    link = _link(settings, urls)
    here.answer({"home": str(settings.home), "pid": process.pid, "urls": urls, "signIn": link})
    _show(here, urls, link)


def _services(settings: Settings) -> dict[str, dict[str, str]]:
    found = running(settings.run_dir).get("services")
    return found if isinstance(found, dict) else {}


def _up_already() -> UnavailableError:
    return UnavailableError("this instance is up already", hint="`lotline status` shows it, `lotline down` stops it.")
