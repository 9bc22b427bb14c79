"""``/descriptions``: what organisations say of products, places, parties and things, so that people read names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BeforeValidator, Field, StringConstraints

from api import problems
from api.answers import GTIN
from api.auth import MAY_CAPTURE, MAY_SEE_THINGS
from api.commands import MANY, REGISTERED, Registered, as_list, command, identified
from api.models import Answer, Given
from api.parameters import Identified
from api.problems import ApiError
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries.master_data import master_data

router = APIRouter(route_class=ApiRoute, tags=["registry"])
Name = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"\S")]
Value = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"\S")]
Kind = Literal["product", "place", "party", "other"]
_NET = "urn:epcglobal:cbv:mda#netContentDescription"


class DescriptionIn(Given):
    """What the caller's organisation says of something from now on; what it said before is replaced."""

    id: str = Field(min_length=1, max_length=500, description="EPC URN or GS1 Digital Link", examples=[GTIN])
    kind: Kind = Field(examples=["product"])
    name: Name | None = Field(None, examples=["Oak smoked salmon, 200 g"])
    attributes: dict[Name, Value] = Field({}, max_length=100, examples=[{_NET: "200 g"}])


Descriptions = Annotated[
    list[DescriptionIn], BeforeValidator(as_list, json_schema_input_type=DescriptionIn | list[DescriptionIn]), MANY
]


@router.post("/descriptions", status_code=201, response_model=Registered, responses=REGISTERED)
async def post_descriptions(
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(MAY_CAPTURE)],
    body: Descriptions,
) -> Any:
    """Describe a product, place, party or thing, or up to 1,000. It gives no power over it: everybody's words stand beside one another."""
    ids = [identified(index, entry.id) for index, entry in enumerate(body)]
    documents = [entry.model_dump(exclude_none=True) for entry in body]
    argument = [{**document, "id": name} for document, name in zip(documents, ids, strict=True)]
    return await command(request, response, principal, "describe", ids, argument)


class DescriptionOut(Answer):
    """What one organisation says of something."""

    id: str = Field(examples=[GTIN])
    msp: str = Field(description="Who says so", examples=["FarmMSP"])
    kind: str = Field(examples=["product"])
    name: str | None = Field(examples=["Oak smoked salmon, 200 g"])
    attributes: dict[str, Any] = Field(examples=[{_NET: "200 g"}])


class DescriptionsOut(Answer):
    """Everybody's words about one thing."""

    items: list[DescriptionOut] = Field(
        examples=[[{"id": GTIN, "msp": "FarmMSP", "kind": "product", "name": "Salmon", "attributes": {}}]]
    )


@router.get(
    "/descriptions/{id:path}", response_model=DescriptionsOut, responses=problems.responses(400, 401, 403, 404, 406)
)
def get_descriptions(request: Request, _: Annotated[Principal, Depends(MAY_SEE_THINGS)], identified: Identified) -> Any:
    """What organisations say of a product, place, party or thing, by organisation."""
    with request.app.state.engine.connect() as connection:
        found = master_data(connection, identified)
    if not found:
        raise ApiError(404, f"nobody has described {identified}")
    return {"items": found}
