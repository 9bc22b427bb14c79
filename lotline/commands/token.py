"""`lotline token`: who may use the API."""

from __future__ import annotations

from typing import Annotated

import typer

from instance.creation import create_token, list_tokens, load_settings, revoke_token
from instance.settings import Role
from lotline.errors import CommandError
from lotline.output import session

app = typer.Typer(help="Create, list and revoke API tokens.", no_args_is_help=True)


@app.command()
def create(
    context: typer.Context,
    role: Annotated[Role, typer.Option(help="What the token may do.")] = "analyst",
    organisation: Annotated[str | None, typer.Option(help="For whom it speaks (default: the first).")] = None,
    identity: Annotated[
        str | None, typer.Option(help="Its identity on the ledger (default: named like the role).")
    ] = None,
    label: Annotated[str, typer.Option(help="Where it is used, to know it again.")] = "",
) -> None:
    """Print a new token. It is shown this once: only its digest is kept."""
    here = session(context)
    settings = load_settings(here.home)
    name = identity or role
    token = create_token(settings, name, role, organisation, label)
    here.answer({"token": token, "role": role, "organisation": settings.msp_id(organisation), "identity": name})
    here.text(token)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List tokens; never the tokens themselves."""
    here = session(context)
    tokens = list_tokens(load_settings(here.home))
    here.answer(
        [
            {
                "id": token.id,
                "role": token.role,
                "organisation": token.msp_id,
                "identity": token.identity,
                "label": token.label,
                "createdAt": token.created_at,
                "lastUsedAt": token.last_used_at,
                "revokedAt": token.revoked_at,
            }
            for token in tokens
        ]
    )
    here.table(
        "",
        ["id", "role", "organisation", "identity", "label", "created", "last used", "revoked"],
        [(t.id, t.role, t.msp_id, t.identity, t.label, t.created_at, t.last_used_at, t.revoked_at) for t in tokens],
    )


@app.command()
def revoke(
    context: typer.Context,
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `token list` shows it.")],
) -> None:
    """Revoke a token for ever; it stops working at once."""
    here = session(context)
    if not revoke_token(load_settings(here.home), token_id):
        raise CommandError(f"there is no valid token {token_id}", hint="`lotline token list` shows them.")
    here.answer({"id": token_id, "revoked": True})
    here.text(f"revoked {token_id}")
