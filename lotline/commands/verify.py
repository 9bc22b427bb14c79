"""`lotline verify`: whether a proof shows what it says. Needs no instance, no database and no network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lotline.errors import CommandError, UsageError
from lotline.output import Session, session
from proofs import CODES, ProofError, Roots, Verdict, verify
from proofs.document import LARGEST

app = typer.Typer()


@app.command("verify")
def verify_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proof.", exists=True, dir_okay=False)],
    roots: Annotated[
        Path,
        typer.Option(
            help="The organisations' roots: <MSP>.pem, or <MSP>/ as an MSP folder.", exists=True, file_okay=False
        ),
    ],
    quorum: Annotated[
        int | None,
        typer.Option(min=1, help="So many organisations must have signed [default: more than half of the roots]"),
    ] = None,
    nonce: Annotated[str | None, typer.Option(help="What you made up when you asked: the proof is fresh.")] = None,
    subject: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The identifier that you asked about.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="The channel it must be of.")] = None,
    chaincode: Annotated[str, typer.Option(help="The chaincode it must be of.")] = "lotline",
    block: Annotated[int | None, typer.Option(min=0, help="It must be as of this block or later.")] = None,
) -> None:
    """Verify a proof of an answer: who signed, that no event is missing, and that the answer follows from the events.

    Exit code 0: it shows what it says. 10 to 20: it does not; the first word says why (docs/proofs.md).
    """
    here = session(context)
    try:
        trusted = Roots.read(roots)
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from error
    if file.stat().st_size > LARGEST:
        raise CommandError(f"format: {file} is larger than a proof may be", code=CODES["format"])
    try:
        found = verify(
            file.read_bytes(),
            trusted,
            quorum=quorum,
            nonce=nonce,
            start=subject,
            chaincode=chaincode,
            channel=channel,
            block=block,
        )
    except ProofError as error:
        raise CommandError(str(error), hint="This file shows nothing.", code=CODES[error.word]) from error
    here.answer(_plain(found))
    if not here.json:
        _show(here, found)


def _plain(found: Verdict) -> dict[str, Any]:
    question = found.question
    asked = {"kind": question.kind, "id": question.id, "direction": question.direction, "nonce": question.nonce}
    return {
        "verified": True,
        "question": asked if question.subject is None else {**asked, "subject": question.subject},
        "channel": found.channel,
        "organisations": list(found.organisations),
        "block": found.block,
        "checkpoints": [
            {"organisation": one.msp_id, "height": one.height, "headerHash": one.header_hash.hex()}
            for one in found.checkpoints
        ],
        "askedAt": found.asked_at.isoformat().replace("+00:00", "Z"),
        "nodes": [{"id": uri, "role": role} for uri, role in found.nodes],
        "events": found.events,
        "signedByDevices": found.signed_by_devices,
        "older": found.older,
        "records": found.records,
        "notShown": found.not_shown,
    }


def _show(here: Session, found: Verdict) -> None:
    question = found.question
    here.text(f"verified: {question.kind} of {question.subject or question.id}")
    here.text(
        f"  signed by peers of {', '.join(found.organisations)}, channel {found.channel}, as of block {found.block} or later"
    )
    here.text(f"  asked at {found.asked_at:%Y-%m-%d %H:%M:%S} UTC by the word of who asked, nonce {question.nonce}")
    here.text(
        f"  {len(found.events):,} events, all that name {len(found.nodes):,} things; {found.signed_by_devices:,} signed by a device"
    )
    for one in found.checkpoints:
        here.text(f"  {one.msp_id} had {one.height} blocks, the last {one.header_hash.hex()}")
    if found.older:
        more = "" if len(found.older) == 1 else f" and {len(found.older) - 1:,} more"
        here.text(
            f"  complete only from the first event shown on: {found.older[0]}{more} (the ledger is older than its trails)"
        )
    here.table("", ["what", "as"], found.nodes[:50])
    here.text("It does not show:")
    for text in found.not_shown:
        here.text(f"  - {text}")
