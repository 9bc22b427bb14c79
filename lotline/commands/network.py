"""`lotline network`: a Fabric network on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from fabric.words.keys import KeyType
from instance.settings import CONFIG_FILE, Role, load_settings
from ledger.ca import check_name
from lotline.errors import NEGATIVE, UsageError
from lotline.joining import add_identity
from lotline.networks import FOLDER, open_network, raise_network, told
from lotline.output import Session, session
from lotline.renewing import take_renewed
from network import binaries
from network.renewal import DUE_BEFORE
from network.topology import Consensus, Topology, build, load

app = typer.Typer(
    help="Run a Fabric network: authorities, orderers, peers, chaincode. No containers.", no_args_is_help=True
)

_VERSION = re.compile(r"[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*")


@app.command("build")
def build_(context: typer.Context) -> None:
    """Build Fabric's binaries (once a machine; two or three minutes). `up` does it too."""
    here = session(context)
    with told():
        folder = binaries.ensure(here.say)
    here.answer({"binaries": str(folder)})
    here.text(str(folder))


@app.command()
def up(
    context: typer.Context,
    organisation: Annotated[
        list[str] | None,
        typer.Option("--organisation", "-o", metavar="NAME[=PEERS]", help="A member with so many peers; repeat it."),
    ] = None,
    consensus: Annotated[Consensus, typer.Option(help="How orderers agree.")] = Consensus.RAFT,
    orderers: Annotated[int | None, typer.Option(min=1, help="How many (default: 3 for raft, 4 for bft).")] = None,
    base_port: Annotated[int, typer.Option(help="Every node has ten ports from here on.")] = 17000,
    topology: Annotated[Path | None, typer.Option(metavar="FILE", help="All of this, in TOML: docs/fabric.md.")] = None,
) -> None:
    """Start the network of this home, made first if there is none: what runs already is left alone.

    Returns when the orderers have a leader, every peer has joined and every peer can find endorsers for the
    contract. Ledgers are kept when it is stopped. By default: supplier, carrier, distributor, retailer.
    """
    here = session(context)
    wanted = None
    if topology is not None:
        with told():
            wanted = load(topology)
    elif not (here.home / FOLDER / "topology.json").exists() or organisation:
        wanted = _topology(organisation, consensus, orderers, base_port)
    network = open_network(here.home, wanted)
    started = time.monotonic()
    with told():
        binaries.ensure(here.say)
    raise_network(network, here.say)
    here.say(f"up in {time.monotonic() - started:.1f} s")
    _show(here)


def _topology(organisations: list[str] | None, consensus: Consensus, orderers: int | None, base_port: int) -> Topology:
    members: dict[str, int] = {}
    for text in organisations or []:
        name, _, peers = text.partition("=")
        if peers and not peers.isdigit():
            raise UsageError(f"{text!r}: the number of peers is a whole number", hint="Write NAME or NAME=PEERS.")
        members[name.lower()] = int(peers or 1)
    with told():
        return build(members or None, consensus=consensus, orderers=orderers, base_port=base_port)


@app.command()
def down(context: typer.Context) -> None:
    """Stop every process of the network; ledgers and keys stay."""
    here = session(context)
    with told():
        open_network(here.home).down(here.say)
    here.answer({"stopped": True})


@app.command()
def status(context: typer.Context) -> None:
    """Every process: whether it runs, where it listens, who leads, how high the chain is."""
    _show(session(context))


def _show(here: Session) -> None:
    with told():
        found = open_network(here.home).status()
    here.answer([{"name": one.name, "kind": one.kind, "running": one.running, "detail": one.detail} for one in found])
    here.table(
        "",
        ["process", "kind", "runs", ""],
        [(one.name, one.kind, "yes" if one.running else "NO", one.detail) for one in found],
    )


@app.command()
def logs(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A process, as `status` calls it.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written, until Ctrl-C.")] = False,
) -> None:
    """The end of a process's log."""
    network = open_network(session(context).home)
    log = network.processes.log(_named(network.names(), name))
    if follow and shutil.which("tail"):
        subprocess.run(["tail", f"-n{lines}", "-F", str(log)], check=False)  # noqa: S607
    else:
        typer.echo(network.processes.tail(name, lines))


@app.command()
def stop(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A process, as `status` calls it.")],
    kill: Annotated[bool, typer.Option("--kill", help="With no last words (SIGKILL).")] = False,
) -> None:
    """Stop one process."""
    network = open_network(session(context).home)
    with told():
        network.stop(_named(network.names(), name), kill=kill)


@app.command()
def start(
    context: typer.Context, name: Annotated[str, typer.Argument(help="A process, as `status` calls it.")]
) -> None:
    """Start one process that was stopped."""
    network = open_network(session(context).home)
    with told():
        network.start(_named(network.names(), name))


@app.command()
def rejoin(
    context: typer.Context,
    peer: Annotated[str, typer.Argument(help="The peer, as `status` calls it.")],
    snapshot_of: Annotated[
        str, typer.Option(metavar="PEER", help="Join by a snapshot that this peer makes, not from the first block on.")
    ] = "",
) -> None:
    """Delete a peer's ledger, which is lost or not trusted, and have it join the channel anew.

    Returns when it is as high as the others were, with the contract installed. Joining by a snapshot is quicker; such a
    peer lacks the blocks before it, and its state is as true as the peer's that made the snapshot.
    """
    here = session(context)
    network = open_network(here.home)
    peers = [one.host for one in network.topology.peers()]
    _named(peers, peer, "peer")
    if snapshot_of and _named(peers, snapshot_of, "peer") == peer:
        raise UsageError("a peer cannot join by a snapshot of its own ledger", hint="Name another after --snapshot-of.")
    with told():
        network.rejoin(peer, snapshot_of, here.say)
    here.answer({"peer": peer, "snapshotOf": snapshot_of or None})
    here.text(f"{peer} has joined again")


@app.command()
def rebuild(
    context: typer.Context, peer: Annotated[str, typer.Argument(help="The peer, as `status` calls it.")]
) -> None:
    """Drop a peer's databases (state, history, indexes) and have it make them again from its own blocks."""
    here = session(context)
    network = open_network(here.home)
    _named([one.host for one in network.topology.peers()], peer, "peer")
    with told():
        network.rebuild(peer, here.say)
    here.answer({"peer": peer})
    here.text(f"{peer} has its databases again")


@app.command()
def upgrade(
    context: typer.Context,
    version: Annotated[str, typer.Option(help="What to call it (default: 2.0, 3.0 and so on).")] = "",
) -> None:
    """Put the contract as it is installed here on the channel as its next version, while the present one serves.

    Every organisation installs and approves it; once every peer knows it, the servers of the version before are
    stopped. Interrupted, `lotline network up` completes it.
    """
    here = session(context)
    if version and not _VERSION.fullmatch(version):
        raise UsageError(f"{version!r} is no version", hint="Letters, digits and single . _ + - between them: 2.1.")
    network = open_network(here.home)
    with told():
        now = network.upgrade(version, say=here.say)
    here.answer({"chaincode": now.name, "version": now.version, "sequence": now.sequence})
    here.text(f"{now.name} {now.version} is on the channel")


@app.command()
def issue(
    context: typer.Context,
    organisation: Annotated[str, typer.Option("--organisation", "-o", metavar="MSP", help="Whose identity.")],
    name: Annotated[str, typer.Argument(help="What the organisation's Fabric CA shall know it by.")],
    role: Annotated[Role, typer.Option(help="What the contract lets it do.")],
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", "-a", metavar="NAME=VALUE", help="Say more; repeat it.")
    ] = None,
    key: Annotated[KeyType, typer.Option(help="What kind of key.")] = KeyType.P256,
) -> None:
    """Issue an identity of an organisation's Fabric CA: an MSP folder with its certificate and its key.

    A name that was issued before keeps its key: the folder is shown again. Attributes: `gln` (digits) names its party.
    If this home's instance speaks for the organisation, `lotline token create --identity NAME` can use it at once.
    """
    here = session(context)
    attributes = dict(map(_attribute, attribute or ()))
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with told():
        folder = open_network(here.home).issue(organisation, name, role, attributes, key)
    add_identity(here.home, organisation, name, folder)
    here.answer({"organisation": organisation, "name": name, "msp": str(folder)})
    here.text(str(folder))


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name.isidentifier() or not equals or not value or {",", ":"} & set(value):
        raise UsageError(f"{text!r} is no attribute", hint="Write NAME=VALUE; Fabric CA takes no comma and no colon.")
    return name, value


@app.command()
def renew(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=0, help="Certificates that end within so many days.")] = DUE_BEFORE.days,
) -> None:
    """Renew certificates before they end: of identities, of nodes (restarted one after another), of the authorities.

    Keys stay. `up` does it too, and beside an instance on this network it is done every hour.
    """
    here = session(context)
    network = open_network(here.home)
    with told():
        renewed = network.renew(timedelta(days=days), here.say)
    if (here.home / CONFIG_FILE).exists():
        take_renewed(load_settings(here.home), network)
    here.answer({"renewed": renewed.done, "failed": renewed.failed})
    here.text(f"{len(renewed.done)} certificates renewed")
    if renewed.failed:
        raise typer.Exit(NEGATIVE)


@app.command()
def revoke(
    context: typer.Context,
    organisation: Annotated[str, typer.Option("--organisation", "-o", metavar="MSP", help="Whose identity.")],
    name: Annotated[str, typer.Argument(help="The identity, as the organisation's Fabric CA knows it.")],
) -> None:
    """Revoke an identity: the list goes into the channel's configuration, and every peer refuses it from then on."""
    here = session(context)
    with told():
        open_network(here.home).revoke(organisation, name)
    here.answer({"revoked": name, "organisation": organisation})
    here.text(f"{name} of {organisation} is revoked")


@app.command()
def reset(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Really: ledgers, keys and certificates are deleted.")] = False,
) -> None:
    """Stop the network and delete everything it owns."""
    here = session(context)
    if not yes:
        raise UsageError(
            f"this deletes {here.home / FOLDER} with its ledgers and keys", hint="Say --yes if that is meant."
        )
    with told():
        open_network(here.home).reset()
    here.answer({"deleted": str(here.home / FOLDER)})


def _named(names: list[str], name: str, kind: str = "process") -> str:
    if name not in names:
        raise UsageError(f"no {kind} {name!r} in this network", hint=f"There are: {', '.join(names)}.")
    return name
