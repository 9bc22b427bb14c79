"""``/parties``: who takes part. Registering is for admins of the organisation that speaks for the party."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import Field

from api.auth import MAY_ADMINISTER
from api.commands import REGISTERED, Registered, canonical, register
from api.models import Answer
from api.routing import ApiRoute
from api.tokens import Principal

router = APIRouter(route_class=ApiRoute, tags=["registry"])


class PartyIn(Answer):
    """A party (PGLN) of the caller's organisation."""

    id: str = Field(max_length=500, examples=["https://id.gs1.org/417/0614141000005"])
    name: str = Field(min_length=1, max_length=200, examples=["Green Farm"])


@router.post("/parties", status_code=201, response_model=Registered, responses=REGISTERED)
async def post_parties(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: Annotated[PartyIn | Annotated[list[PartyIn], Field(min_length=1, max_length=1000)], Body()],
) -> Any:
    """Register one party or up to 1,000, or change what was registered."""
    given = body if isinstance(body, list) else [body]
    records = [party.model_copy(update={"id": canonical(party.id, "/id", ("pgln",))}) for party in given]
    return await register(request, response, principal, "registerParty", records)
