"""Reassigning parties, places and devices: for administrators of the channel, where the wrong organisation has one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BeforeValidator, Field

from api import problems
from api.auth import MAY_ADMINISTER
from api.commands import MANY, REGISTERED, Registered, Text, as_list, canonical, command
from api.models import Given
from api.routing import ApiRoute
from instance.tokens import Principal

router = APIRouter(route_class=ApiRoute, tags=["registry"])
REASSIGNED: dict[int | str, dict[str, Any]] = {
    200: {"description": "On the ledger: it belongs to that organisation from now on."},
    202: REGISTERED[202],
    **problems.responses(400, 401, 403, 404, 406, 413, 415, 503),
}
_ADMIN = Depends(MAY_ADMINISTER)


class ReassignmentIn(Given):
    """What belongs to another organisation than the one that registered it."""

    id: str = Field(min_length=1, max_length=500, examples=["https://id.gs1.org/417/0614141000005"])
    msp: Text = Field(description="Whose it is", examples=["FarmMSP"])


Reassignments = Annotated[
    list[ReassignmentIn], BeforeValidator(as_list, json_schema_input_type=ReassignmentIn | list[ReassignmentIn]), MANY
]


@router.post("/parties/reassign", response_model=Registered, responses=REASSIGNED)
async def post_parties_reassign(
    request: Request, response: Response, principal: Annotated[Principal, _ADMIN], body: Reassignments
) -> Any:
    """Give parties, with their places, to the organisations whose they are. The channel's administrators may."""
    ids = [canonical(entry.id, "/id", ("pgln",)) for entry in body]
    return await _reassign(request, response, principal, "party", ids, body)


@router.post("/places/reassign", response_model=Registered, responses=REASSIGNED)
async def post_places_reassign(
    request: Request, response: Response, principal: Annotated[Principal, _ADMIN], body: Reassignments
) -> Any:
    """Give places to the organisations whose they are. The channel's administrators may."""
    ids = [canonical(entry.id, "/id", ("sgln",)) for entry in body]
    return await _reassign(request, response, principal, "place", ids, body)


@router.post("/devices/reassign", response_model=Registered, responses=REASSIGNED)
async def post_devices_reassign(
    request: Request, response: Response, principal: Annotated[Principal, _ADMIN], body: Reassignments
) -> Any:
    """Give devices to other organisations. They are revoked until these register keys for them."""
    return await _reassign(request, response, principal, "device", [entry.id for entry in body], body)


async def _reassign(
    request: Request, response: Response, principal: Principal, kind: str, ids: list[str], body: list[ReassignmentIn]
) -> Registered | Response:
    argument = [{"id": name, "msp": entry.msp, "kind": kind} for name, entry in zip(ids, body, strict=True)]
    return await command(request, response, principal, "reassign", ids, argument)
