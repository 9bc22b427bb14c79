"""Parameters that lists share. A page token is opaque to clients: it names the last row seen, not a row
number."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from api.problems import query_error

PageSize = Annotated[int, Query(alias="perPage", ge=1, le=1000, description="Items in one answer, at most")]
PageToken = Annotated[
    str | None, Query(alias="nextPageToken", max_length=500, description="`next` of the previous page")
]


def token_of(seq: int) -> str:
    """The token of the page behind the row ``seq``."""
    return f"{seq:x}"


def position(token: str | None) -> int | None:
    """The row a token names; a 400 problem if it is none of ours."""
    if token is None:
        return None
    try:
        value = int(token, 16)
    except ValueError:
        raise query_error("nextPageToken", "not a token of this list") from None
    if token != token_of(value) or not 0 <= value < 2**62:
        raise query_error("nextPageToken", "not a token of this list")
    return value


def next_link(request: Request, token: str) -> str:
    """The Link header that names the next page of the same query; relative, so that it survives a proxy."""
    url = request.url.include_query_params(nextPageToken=token)
    return f'<{url.path}?{url.query}>; rel="next"'
