"""``/parties``: who takes part. Registering is for admins of the organisation that speaks for the party."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator, Field

from api import problems
from api.answers import PGLN
from api.auth import MAY_ADMINISTER, MAY_SEE_THINGS
from api.commands import MANY, REGISTERED, Registered, Text, as_list, canonical, register
from api.models import Answer, Given, Page
from api.paging import PageSize, PageToken
from api.parameters import Identified
from api.problems import ApiError
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries import registry

router = APIRouter(route_class=ApiRoute, tags=["registry"])


class PartyIn(Given):
    """A party (PGLN) of the caller's organisation."""

    id: str = Field(max_length=500, examples=["https://id.gs1.org/417/0614141000005"])
    name: Text = Field(examples=["Green Farm"])
    kind: Text | None = Field(None, examples=["grower"])
    country: Text | None = Field(None, examples=["DE"])
    address: Text | None = Field(None, examples=["Feldweg 1, 85354 Freising"])


Parties = Annotated[list[PartyIn], BeforeValidator(as_list, json_schema_input_type=PartyIn | list[PartyIn]), MANY]


@router.post("/parties", status_code=201, response_model=Registered, responses=REGISTERED)
async def post_parties(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: Parties,
) -> Any:
    """Register one party or up to 1,000, or change what was registered."""
    records = [party.model_copy(update={"id": canonical(party.id, "/id", ("pgln",))}) for party in body]
    return await register(request, response, principal, "registerParty", records)


class PartyOut(Answer):
    """A party that is named anywhere on the ledger."""

    id: str = Field(examples=[PGLN])
    registered: bool = Field(description="An organisation has registered it; else it belongs to nobody")
    msp: str | None = Field(description="Organisation that speaks for it", examples=["FarmMSP"])
    name: str | None = Field(examples=["Green Farm"])
    detail: dict[str, Any] = Field(description="The ledger's whole record", examples=[{}])


@router.get("/parties", response_model=Page[PartyOut], responses=problems.responses(400, 401, 403, 406))
def get_parties(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    msp: Annotated[str | None, Query(max_length=64, description="Parties of this organisation")] = None,
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """Parties, in the order they were first named."""
    with request.app.state.engine.connect() as connection:
        return registry.parties(connection, msp=msp, per_page=per_page, token=next_page_token)


@router.get("/parties/{id:path}", response_model=PartyOut, responses=problems.responses(400, 401, 403, 404, 406))
def get_party(request: Request, _: Annotated[Principal, Depends(MAY_SEE_THINGS)], identified: Identified) -> Any:
    """One party, by PGLN."""
    with request.app.state.engine.connect() as connection:
        found = registry.party(connection, identified)
    if found is None:
        raise ApiError(404, f"the ledger has never heard of {identified}")
    return found
