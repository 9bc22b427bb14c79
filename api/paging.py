"""Parameters that lists share. A page token is opaque to clients: it names the last row seen, not a row
number."""

from __future__ import annotations

import hmac
from typing import Annotated

import orjson
from fastapi import Query, Request

from instance.tokens import Principal
from readmodel.queries.paging import decode, encode

_NOT_THE_QUERY = ("nextPageToken", "perPage")

PageSize = Annotated[int, Query(alias="perPage", ge=1, le=1000, description="Items in one answer, at most")]
PageToken = Annotated[
    str | None, Query(alias="nextPageToken", max_length=500, description="`next` of the previous page")
]


def key_of(request: Request, secret: bytes) -> bytes:
    """What the page tokens of a request belong to: its caller, and its query but for where in it and how much."""
    principal: Principal = request.state.principal
    pairs = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in _NOT_THE_QUERY)
    parts = (principal.msp_id, principal.identity, principal.role, request.scope["path"], pairs)
    return hmac.digest(secret, orjson.dumps(parts), "sha256")


def token_of(seq: int) -> str:
    """The token of the page behind the row ``seq``."""
    return encode(seq)


def position(token: str | None) -> int | None:
    """The row a token names; raises `InvalidTokenError` if it is none of ours."""
    return None if token is None else decode(token, 1)[0]


def next_link(request: Request, token: str) -> str:
    """The Link header that names the next page of the same query; relative, so that it survives a proxy."""
    url = request.url.include_query_params(nextPageToken=token)
    return f'<{url.path}?{url.query}>; rel="next"'
