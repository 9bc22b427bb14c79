"""`lotline device`: scanners that sign what they report."""

from __future__ import annotations

import contextlib
import io
from typing import Annotated

import segno
import typer

from instance import enrolments
from instance.creation import load_settings
from instance.tokens import open_tokens
from lotline.lookup import reading
from lotline.output import session
from lotline.plain import plain
from lotline.registration import SPEAKER, every, given, numbered, submit
from readmodel.queries import registry

app = typer.Typer(help="Scanners that sign: enrol by a QR code, list, revoke, explain.", no_args_is_help=True)
_MOST_MINUTES = 24 * 60
DEVICE = Annotated[str, typer.Argument(metavar="ID", help="As `device list` shows it.")]


@app.command()
def enrol(
    context: typer.Context,
    party: Annotated[str, typer.Argument(help="Whose it will be (PGLN).")],
    place: Annotated[str, typer.Argument(help="Where it reads (GLN).")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "Scanner",
    minutes: Annotated[int, typer.Option(min=1, max=_MOST_MINUTES, help="How long the code can be used.")] = 10,
    address: Annotated[str, typer.Option(help="The API as the device reaches it (default: this machine's).")] = "",
    organisation: SPEAKER = None,
) -> None:
    """Show a QR code: a device that opens it makes a key of its own, and is registered. It is good once."""
    here = session(context)
    settings = load_settings(here.home)
    enrolment = enrolments.Enrolment(
        msp_id=settings.msp_id(organisation),
        admin="admin",
        identity="scanner",
        party=numbered(party, "417"),
        place=numbered(place, "414"),
        name=name,
        expires_at=enrolments.expiry(minutes),
    )
    with contextlib.closing(open_tokens(settings.tokens_place)) as store:
        code = enrolments.create(store, enrolment)
    base = (address or f"http://{settings.http.host}:{settings.http.port}").rstrip("/")
    url = f"{base}/scan#enrol={code}"
    here.answer({"code": code, "url": url, "expiresAt": enrolment.expires_at})
    if not here.json:
        drawn = io.StringIO()
        segno.make(url, error="m", micro=False).terminal(drawn, compact=True)
        here.text(drawn.getvalue())
        here.text(url)
        here.text(f"good once, until {enrolment.expires_at}")


@app.command("list")
def list_(context: typer.Context) -> None:
    """List devices: whose they are, how far they counted, what of that did not arrive."""
    here = session(context)
    with reading(load_settings(here.home)) as connection:
        found = list(every(lambda **page: registry.devices(connection, **page)))
    here.answer([plain(one) for one in found])
    rows = [
        (one.id, one.name, one.status, one.msp, one.detail.get("place"), one.counter, one.missing, one.received)
        for one in found
    ]
    here.table("", ["id", "name", "status", "organisation", "place", "#signed", "#missing", "last arrived"], rows)


@app.command()
def revoke(
    context: typer.Context,
    device: DEVICE,
    since: Annotated[
        str | None, typer.Option(help="When it was lost, like 2026-05-04T09:12:33Z: what it signed before is taken.")
    ] = None,
    why: Annotated[str | None, typer.Option(help="Kept with the device.")] = None,
    organisation: SPEAKER = None,
) -> None:
    """Refuse a device's signatures, and its token, from now on."""
    here = session(context)
    settings = load_settings(here.home)
    msp_id = settings.msp_id(organisation)
    with contextlib.closing(open_tokens(settings.tokens_place)) as store:
        store.revoke_labelled(msp_id, device)
    submit(settings, msp_id, "revokeDevice", [given(id=device, since=since, why=why)])
    here.answer({"id": device, "revoked": True})
    here.text(f"revoked {device}")


@app.command()
def explain(
    context: typer.Context,
    device: DEVICE,
    why: Annotated[str, typer.Argument(help="What became of what is missing, or why there are two.")],
    organisation: SPEAKER = None,
) -> None:
    """Close what is open about a device's chain with an explanation."""
    here = session(context)
    settings = load_settings(here.home)
    submit(settings, settings.msp_id(organisation), "explainDevice", [{"id": device, "why": why}])
    here.answer({"id": device, "explained": True})
    here.text(f"explained {device}")
