"""`lotline init`: a new instance."""

from __future__ import annotations

from typing import Annotated

import typer

from api.instance import CustodyPolicy
from api.settings import OrganisationConfig
from lotline.creation import create
from lotline.errors import UsageError
from lotline.output import session

app = typer.Typer()
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
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API.")] = 8700,
    database_url: Annotated[
        str,
        typer.Option(help="Read model elsewhere, for example in PostgreSQL (default: a file in the home)."),
    ] = "",
) -> None:
    """Create an instance: certificate authorities and identities, ledger, read model, first token."""
    here = session(context)
    members = [_member(text) for text in organisation or DEFAULT_ORGANISATIONS]
    create(here.home, members, custody_policy=custody_policy, port=port, database_url=database_url)
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


def _member(text: str) -> OrganisationConfig:
    msp_id, _, name = text.partition("=")
    try:
        return OrganisationConfig(msp_id=msp_id, name=name or msp_id)
    except ValueError:
        raise UsageError(
            f"{text!r} is no organisation",
            hint="Write MSP or MSP=NAME, for example -o FarmMSP=Farm. Letters, digits, dots and hyphens.",
        ) from None
