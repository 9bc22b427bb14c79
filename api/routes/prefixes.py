"""``/prefixes``: which organisations use which GS1 company prefix."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from api import problems
from api.auth import MAY_QUERY
from api.models import Answer
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries.prefixes import prefixes

router = APIRouter(route_class=ApiRoute, tags=["registry"])


class PrefixOut(Answer):
    """A GS1 company prefix in the registry."""

    prefix: str = Field(examples=["0614141"])
    organisations: dict[str, int] = Field(
        description="Parties and places that each organisation has registered under it", examples=[{"FarmMSP": 3}]
    )
    contested: bool = Field(description="Several organisations use it; that may be right, and is worth a look")


class PrefixesOut(Answer):
    """All prefixes, those that several organisations use first."""

    items: list[PrefixOut] = Field(
        examples=[[{"prefix": "0614141", "organisations": {"FarmMSP": 3}, "contested": False}]]
    )


@router.get("/prefixes", response_model=PrefixesOut, responses=problems.responses(401, 403, 406))
def get_prefixes(request: Request, _: Annotated[Principal, Depends(MAY_QUERY)]) -> Any:
    """Company prefixes of registered parties and places, and who uses them."""
    with request.app.state.engine.connect() as connection:
        return {"items": prefixes(connection)}
