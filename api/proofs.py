"""``?proof=1``: instead of the answer, a file that shows it (docs/proofs.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.problems import ApiError, query_error
from ledger.errors import LedgerError
from proving import NotProvenError
from proving.instances import proving

Wanted = Annotated[
    bool,
    Query(
        alias="proof",
        description="Answer with a proof of the answer: a file for `lotline verify`, of the form `lotline-proof/1`",
    ),
]
Nonce = Annotated[
    str | None,
    Query(
        min_length=8,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="With `proof`: what nobody has asked with before; who finds it in the proof knows that it is fresh",
    ),
]


def proof_of(
    request: Request,
    kind: str,
    uri: str | None,
    nonce: str | None,
    *,
    direction: str = "none",
    subject: str | None = None,
    shown: Mapping[str, Sequence[str]] | None = None,
) -> Response:
    """The proof of an answer about a thing. Raises ApiError: 400 where there can be none, 503 where there is none now."""
    if uri is None:
        raise query_error("proof", "it is about nothing that has a trail")

    async def prove() -> bytes:
        async with proving(request.app.state.settings, request.app.state.engine) as prover:
            found = await prover.prove(kind, uri, direction=direction, subject=subject, nonce=nonce, shown=shown)
            return found.to_json()

    try:
        content = asyncio.run(prove())
    except NotProvenError as error:
        raise query_error("proof", str(error)) from error
    except LedgerError as error:
        raise ApiError(503, f"no proof now: {error}", headers={"Retry-After": "2"}) from error
    disposition = {"Content-Disposition": 'attachment; filename="proof.json"'}
    return Response(content, media_type="application/json", headers=disposition)
