"""``/places``: where goods are. Registering is for admins of the organisation that runs the place."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator, Field

from api import problems
from api.answers import GLN, PGLN
from api.auth import MAY_ADMINISTER, MAY_SEE_THINGS
from api.commands import MANY, REGISTERED, Registered, Text, as_list, canonical, register
from api.models import Answer, Given, Page
from api.paging import PageSize, PageToken
from api.parameters import Identified, Identifier
from api.problems import ApiError
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries import registry

router = APIRouter(route_class=ApiRoute, tags=["registry"])


class PlaceIn(Given):
    """A place (GLN) of one of the caller's parties."""

    id: str = Field(max_length=500, examples=["https://id.gs1.org/414/0614141000012"])
    party: str = Field(max_length=500, examples=["https://id.gs1.org/417/0614141000005"])
    name: Text = Field(examples=["Green Farm, cold store"])
    kind: Text | None = Field(None, examples=["warehouse"])
    signed: bool | None = Field(None, description="Only what a device has signed is taken from here", examples=[True])
    latitude: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False, examples=[48.137])
    longitude: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False, examples=[11.575])
    country: Text | None = Field(None, examples=["DE"])
    address: Text | None = Field(None, examples=["Feldweg 1, 85354 Freising"])


Places = Annotated[list[PlaceIn], BeforeValidator(as_list, json_schema_input_type=PlaceIn | list[PlaceIn]), MANY]


@router.post("/places", status_code=201, response_model=Registered, responses=REGISTERED)
async def post_places(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: Places,
) -> Any:
    """Register one place or up to 1,000, or change what was registered."""
    records = [_canonical(place) for place in body]
    return await register(request, response, principal, "registerPlace", records)


def _canonical(place: PlaceIn) -> PlaceIn:
    return place.model_copy(
        update={
            "id": canonical(place.id, "/id", ("sgln",)),
            "party": canonical(place.party, "/party", ("pgln",)),
        }
    )


class PlaceOut(Answer):
    """A place that is named anywhere on the ledger."""

    id: str = Field(examples=[GLN])
    registered: bool = Field(description="An organisation has registered it; else it belongs to nobody")
    msp: str | None = Field(description="Organisation that runs it", examples=["FarmMSP"])
    party: str | None = Field(examples=[PGLN])
    name: str | None = Field(examples=["Green Farm, cold store"])
    kind: str | None = Field(examples=["warehouse"])
    latitude: float | None = Field(examples=[48.137])
    longitude: float | None = Field(examples=[11.575])
    country: str | None = Field(examples=["DE"])
    detail: dict[str, Any] = Field(description="The ledger's whole record", examples=[{}])


@router.get("/places", response_model=Page[PlaceOut], responses=problems.responses(400, 401, 403, 406))
def get_places(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    party: Identifier = None,
    country: Annotated[str | None, Query(max_length=50)] = None,
    registered: Annotated[bool | None, Query()] = None,
    per_page: PageSize = 100,
    next_page_token: PageToken = None,
) -> Any:
    """Places, in the order they were first named."""
    with request.app.state.engine.connect() as connection:
        return registry.places(
            connection,
            party=party,
            country=country,
            registered=registered,
            per_page=per_page,
            token=next_page_token,
        )


@router.get("/places/{id:path}", response_model=PlaceOut, responses=problems.responses(400, 401, 403, 404, 406))
def get_place(request: Request, _: Annotated[Principal, Depends(MAY_SEE_THINGS)], identified: Identified) -> Any:
    """One place, by GLN."""
    with request.app.state.engine.connect() as connection:
        found = registry.place(connection, identified)
    if found is None:
        raise ApiError(404, f"the ledger has never heard of {identified}")
    return found
