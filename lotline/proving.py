"""Proofs of what a command answers, written beside the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import readmodel
from instance.settings import Settings
from lotline.errors import CommandError
from lotline.output import Session
from proving import NotProvenError
from proving.instances import proving


def write_proof(
    here: Session,
    settings: Settings,
    file: Path,
    kind: str,
    uri: str,
    *,
    direction: str = "none",
    shown: Mapping[str, Sequence[str]] | None = None,
    nonce: str | None = None,
) -> None:
    """Make the proof of an answer about a thing and write it. Raises CommandError where there is none."""

    async def prove() -> bytes:
        engine = readmodel.open_engine(settings.readmodel_url)
        try:
            async with proving(settings, engine) as prover:
                return (await prover.prove(kind, uri, direction=direction, shown=shown, nonce=nonce)).to_json()
        finally:
            engine.dispose()

    try:
        content = asyncio.run(prove())
    except NotProvenError as error:
        raise CommandError(f"no proof: {error}") from error
    file.write_bytes(content)
    here.say(f"{file}: the proof, {len(content):,} bytes. `lotline verify {file} --roots DIR` checks it anywhere.")
