"""``/exceptions``: what the ledger found wrong by itself: shortages, overages, wrong lots, custody breaks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field

from api import problems
from api.answers import PGLN, SSCC
from api.auth import MAY_QUERY, MAY_SEE_THINGS
from api.models import HASH, Answer, Page
from api.paging import PageSize, PageToken
from api.parameters import Identifier
from api.problems import ApiError
from api.proofs import Nonce, Wanted, proof_of
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries.exceptions import exception as find_exception
from readmodel.queries.exceptions import exceptions

router = APIRouter(route_class=ApiRoute, tags=["handoffs"])


class ExceptionOut(Answer):
    """An exception. The event that opened it is its evidence; a later event may explain and close it."""

    id: str
    kind: str = Field(examples=["shortage"])
    status: str = Field(examples=["open"])
    handoff: str | None = Field(description="Id of the handoff")
    item: str | None = Field(examples=[SSCC])
    event: str | None = Field(description="Hash of the event that opened it", examples=[HASH])
    closed_by: str | None = Field(description="Hash of the event that closed it")
    detail: str | None = Field(examples=["released 10, accepted 8"])
    opened_at: datetime | None
    closed_at: datetime | None
    parties: list[str] = Field(examples=[[PGLN]])
    severity: str | None = Field(description="high, medium or low", examples=["high"])
    title: str = Field(description="The kind in words", examples=["Less arrived than left"])


@router.get("/exceptions", response_model=Page[ExceptionOut], responses=problems.responses(400, 401, 403, 406))
def get_exceptions(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    status: Annotated[Literal["open", "closed"] | None, Query()] = None,
    kind: Annotated[str | None, Query(max_length=50)] = None,
    party: Identifier = None,
    item: Identifier = None,
    handoff: Annotated[str | None, Query(max_length=500, description="Id of a handoff")] = None,
    per_page: PageSize = 30,
    next_page_token: PageToken = None,
) -> Any:
    """Exceptions that match all that is given, the last opened first."""
    with request.app.state.engine.connect() as connection:
        return exceptions(
            connection,
            status=status,
            kind=kind,
            party=party,
            item=item,
            handoff=handoff,
            per_page=per_page,
            token=next_page_token,
        )


@router.get(
    "/exceptions/{exceptionID:path}",
    response_model=ExceptionOut,
    responses=problems.responses(400, 401, 403, 404, 406),
)
def get_exception(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    exception_id: Annotated[str, Path(alias="exceptionID", max_length=500)],
    proof: Wanted = False,
    nonce: Nonce = None,
) -> Any:
    """One exception."""
    with request.app.state.engine.connect() as connection:
        found = find_exception(connection, exception_id)
    if found is None:
        raise ApiError(404, "no such exception on the ledger")
    if proof:
        return proof_of(request, "exception", found.item, nonce, subject=exception_id)
    return found
