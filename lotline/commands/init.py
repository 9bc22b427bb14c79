"""`lotline init`: a new instance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from instance.creation import CustodyPolicy, load_settings
from instance.settings import DEFAULT_PORT, InboxPlace, OrganisationConfig
from lotline.creation import create
from lotline.errors import UsageError
from lotline.joining import join_by_files
from lotline.networks import create_on_network
from lotline.output import Session, session

app = typer.Typer()
LedgerKind = Literal["embedded", "fabric"]
DEFAULT_ORGANISATIONS = ["Org1MSP=First organisation", "Org2MSP=Second organisation"]


@app.command()
def init(
    context: typer.Context,
    organisation: Annotated[
        list[str] | None,
        typer.Option(
            "--organisation",
            "-o",
            metavar="MSP[=NAME]",
            help="A member of the network; repeat it. The first one administers.",
        ),
    ] = None,
    custody_policy: Annotated[
        CustodyPolicy,
        typer.Option(help="What happens when somebody ships what another holds: refuse it, or accept and flag it."),
    ] = "flag",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API.")] = DEFAULT_PORT,
    database_url: Annotated[
        str,
        typer.Option(help="Read model elsewhere, for example in PostgreSQL (default: a file in the home)."),
    ] = "",
    inbox: Annotated[
        InboxPlace,
        typer.Option(
            help="What was accepted waits in a file of the home, or in the database: for several processes or hosts."
        ),
    ] = "file",
    ledger: Annotated[LedgerKind, typer.Option(help="In one file here, or on a Fabric network.")] = "embedded",
    network: Annotated[
        Path | None,
        typer.Option(metavar="HOME", help="Home of the `lotline network` to join (default: this home's own)."),
    ] = None,
    connection: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Join a network that others run: an organisation's connection file."),
    ] = None,
    identities: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="… and its identities: an MSP folder for each role, one DIR a FILE."),
    ] = None,
) -> None:
    """Create an instance: certificate authorities and identities, ledger, read model, first token.

    With `--ledger fabric` the organisations become members of a Fabric network; one instance may speak for all of
    them or each may have its own. Without `-o` it speaks for all.
    """
    here = session(context)
    members: Sequence[OrganisationConfig] = [_member(text) for text in organisation or []]
    settled: dict[str, Any] = {
        "custody_policy": custody_policy,
        "port": port,
        "database_url": database_url,
        "inbox": inbox,
    }
    if ledger == "embedded":
        if not members:
            members = [_member(text) for text in DEFAULT_ORGANISATIONS]
            here.say(
                "No -o MSP=NAME: two organisations to try things with. Real ones are named when an instance is made."
            )
        create(here.home, members, **settled)
    elif connection:
        members = _by_files(here, connection, identities or [], settled)
    else:
        members = create_on_network(here, members, network or here.home, **settled)
    token_file = here.home / "admin.token"
    here.answer(
        {
            "home": str(here.home),
            "organisations": [{"mspId": member.msp_id, "name": member.name} for member in members],
            "custodyPolicy": custody_policy,
            "adminTokenFile": str(token_file),
        }
    )
    here.text(f"instance at {here.home}: {', '.join(member.msp_id for member in members)}")
    here.text(f"admin token of {members[0].msp_id}: {token_file}")
    here.say("Next: `lotline up` starts it, `lotline capture FILE` puts documents on its ledger.")


def _by_files(
    here: Session, connections: list[Path], identities: list[Path], settled: dict[str, Any]
) -> Sequence[OrganisationConfig]:
    if len(connections) != len(identities):
        raise UsageError(
            f"{len(connections)} connection files and {len(identities)} folders of identities",
            hint="Give one --identities DIR for each --connection FILE, in the same order.",
        )
    create(here.home, (), **settled, join=lambda place: join_by_files(place, connections, identities, here.say))
    return load_settings(here.home).ledger.organisations


def _member(text: str) -> OrganisationConfig:
    msp_id, _, name = text.partition("=")
    try:
        return OrganisationConfig(msp_id=msp_id, name=name or msp_id)
    except ValueError:
        raise UsageError(
            f"{text!r} is no organisation",
            hint="Write MSP or MSP=NAME, for example -o FarmMSP=Farm. Letters, digits, dots and hyphens.",
        ) from None
