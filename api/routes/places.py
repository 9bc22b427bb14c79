"""``/places``: where goods are. Registering is for admins of the organisation that runs the place."""

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


class PlaceIn(Answer):
    """A place (GLN) of one of the caller's parties."""

    id: str = Field(max_length=500, examples=["https://id.gs1.org/414/0614141000012"])
    party: str = Field(max_length=500, examples=["https://id.gs1.org/417/0614141000005"])
    name: str = Field(min_length=1, max_length=200, examples=["Green Farm, cold store"])
    kind: str = Field(min_length=1, max_length=50, examples=["warehouse"])
    latitude: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False, examples=[48.137])
    longitude: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False, examples=[11.575])
    address: dict[str, str] | None = Field(
        None, max_length=20, examples=[{"city": "München", "country": "DE"}]
    )


@router.post("/places", status_code=201, response_model=Registered, responses=REGISTERED)
async def post_places(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_ADMINISTER)],
    body: Annotated[PlaceIn | Annotated[list[PlaceIn], Field(min_length=1, max_length=1000)], Body()],
) -> Any:
    """Register one place or up to 1,000, or change what was registered."""
    records = [_canonical(place) for place in (body if isinstance(body, list) else [body])]
    return await register(request, response, principal, "registerPlace", records)


def _canonical(place: PlaceIn) -> PlaceIn:
    return place.model_copy(
        update={
            "id": canonical(place.id, "/id", ("sgln",)),
            "party": canonical(place.party, "/party", ("pgln",)),
        }
    )
