"""``/things/protect``: organisations that must agree to every change of a thing or lot."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BeforeValidator, Field

from api import problems
from api.answers import SGTIN
from api.auth import MAY_ADMINISTER
from api.commands import MANY, REGISTERED, Registered, Text, as_list, command, identified
from api.models import Given
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.identifiers import describe

router = APIRouter(route_class=ApiRoute, tags=["trace"])
PROTECTED: dict[int | str, dict[str, Any]] = {
    200: {"description": "On the ledger: from now on nothing changes without them."},
    202: REGISTERED[202],
    **problems.responses(400, 401, 403, 404, 406, 409, 413, 415, 503),
}


class ProtectionIn(Given):
    """A thing or lot, and all organisations that must agree to its changes from now on."""

    id: str = Field(max_length=500, description="EPC URN or GS1 Digital Link", examples=[SGTIN])
    organisations: list[Text] = Field(
        min_length=1, max_length=32, description="MSP identifiers", examples=[["CarrierMSP", "FarmMSP"]]
    )


Protections = Annotated[
    list[ProtectionIn], BeforeValidator(as_list, json_schema_input_type=ProtectionIn | list[ProtectionIn]), MANY
]


@router.post("/things/protect", response_model=Registered, responses=PROTECTED)
async def post_protect(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: Protections,
) -> Any:
    """Demand that a peer of each of these organisations agrees to every change of a thing (or of up to 1,000).

    Who has title to the thing (made the lot), or has a say in it already, may. A say can be passed on, by who has it, and not
    taken off. A majority of the channel's administrators can stand in for them.
    """
    ids = [identified(index, entry.id) for index, entry in enumerate(body)]
    argument = [
        {_field_of(uri): uri, "organisations": entry.organisations} for uri, entry in zip(ids, body, strict=True)
    ]
    return await command(request, response, principal, "protect", ids, argument)


class ReleaseIn(Given):
    """A thing or lot, and the organisation that shall have no say in it any more."""

    id: str = Field(max_length=500, description="EPC URN or GS1 Digital Link", examples=[SGTIN])
    organisation: Text = Field(description="MSP identifier", examples=["CarrierMSP"])


Releases = Annotated[
    list[ReleaseIn], BeforeValidator(as_list, json_schema_input_type=ReleaseIn | list[ReleaseIn]), MANY
]


@router.post("/things/release", response_model=Registered, responses=PROTECTED)
async def post_release(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: Releases,
) -> Any:
    """Release things or lots from an organisation that has left without passing its say on. The channel's administrators may."""
    ids = [identified(index, entry.id) for index, entry in enumerate(body)]
    argument = [{_field_of(uri): uri, "organisation": entry.organisation} for uri, entry in zip(ids, body, strict=True)]
    return await command(request, response, principal, "release", ids, argument)


def _field_of(uri: str) -> str:
    """What the contract keeps under an identifier: a thing of its own, or quantities of a lot or another class."""
    return "thing" if describe(uri, is_class=False).kind == "instance" else "lot"
