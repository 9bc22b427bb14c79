"""``/flows``: what moved, by day: the history that demand is forecast from."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api import problems
from api.answers import GTIN, PGLN
from api.auth import MAY_QUERY
from api.models import Answer, Page
from api.parameters import Identifier
from api.problems import ApiError
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries.flows import flows

router = APIRouter(route_class=ApiRoute, tags=["foresight"])
Kind = Annotated[
    Literal["produced", "received", "shipped", "sold", "consumed", "removed"] | None,
    Query(alias="flow", description="One kind of movement"),
]
LONGEST = 50_000


class FlowOut(Answer):
    """A product's movement of one kind on a day (UTC), by party and place."""

    day: date
    product: str = Field(examples=[GTIN])
    flow: str = Field(examples=["sold"])
    party: str | None = Field(examples=[PGLN])
    place: str | None
    country: str | None = Field(examples=["DE"])
    uom: str = Field(description="UN/ECE Rec 20 code; empty: pieces", examples=[""])
    quantity: float = Field(examples=[12.0])
    movements: int = Field(description="In how many movements", examples=[1])


@router.get("/flows", response_model=Page[FlowOut], responses=problems.responses(400, 401, 403, 406, 413))
def get_flows(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    kind: Kind = None,
    product: Identifier = None,
    party: Identifier = None,
    place: Identifier = None,
    country: Annotated[str | None, Query(max_length=50)] = None,
    since: Annotated[date | None, Query(description="First day")] = None,
    before: Annotated[date | None, Query(description="Day after the last")] = None,
) -> Any:
    """What moved of a product, at a place, of a party, in a country: at least one of them must be given."""
    if not any((product, party, place, country)):
        raise ApiError(400, "name a product, party, place or country")
    with request.app.state.engine.connect() as connection:
        found = flows(
            connection,
            flow=_listed(kind),
            products=_listed(product),
            parties=_listed(party),
            places=_listed(place),
            countries=_listed(country),
            since=since,
            before=before,
        )
    if len(found) > LONGEST:
        raise ApiError(413, f"{len(found)} flows match, more than {LONGEST}: narrow the days")
    return {"items": found, "next": None}


def _listed(value: str | None) -> list[str]:
    return [] if value is None else [value]
