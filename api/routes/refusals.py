"""``/refusals``: attempts that the contract refused, for those whom they concern."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api import problems
from api.answers import PGLN, SGTIN
from api.auth import MAY_QUERY
from api.models import HASH, Answer, Page
from api.paging import PageSize, PageToken
from api.parameters import Identifier
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries.refusals import refusals

router = APIRouter(route_class=ApiRoute, tags=["handoffs"])


class RefusalOut(Answer):
    """A refused attempt. Nothing came of it, but the ledger has that it was made, and by whom."""

    id: str
    event: str | None = Field(description="Hash of the event, if there was one to name", examples=[HASH])
    code: str = Field(description="The rule that it breaks", examples=["already_commissioned"])
    detail: str | None
    field: str | None = Field(description="The part of the event that is to blame")
    item: str | None = Field(description="What it was about", examples=[SGTIN])
    parties: list[str] = Field(description="Whom it concerns beside who made it", examples=[[PGLN]])
    organisations: list[str] = Field(description="Those of them of which no party is known", examples=[[]])
    msp: str | None = Field(description="Organisation that made the attempt", examples=["FarmMSP"])
    submitter: str | None = Field(description="Identity that made it")
    refused_at: datetime | None
    tx_id: str
    block: int = Field(examples=[17])


@router.get("/refusals", response_model=Page[RefusalOut], responses=problems.responses(400, 401, 403, 406))
def get_refusals(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    party: Identifier = None,
    organisation: Annotated[str | None, Query(max_length=100, description="MSP of a concerned organisation")] = None,
    item: Identifier = None,
    code: Annotated[str | None, Query(max_length=50)] = None,
    msp: Annotated[str | None, Query(max_length=100, description="Who made the attempt")] = None,
    per_page: PageSize = 30,
    next_page_token: PageToken = None,
) -> Any:
    """Refused attempts that match all that is given, the latest on the ledger first."""
    with request.app.state.engine.connect() as connection:
        return refusals(
            connection,
            party=party,
            organisation=organisation,
            item=item,
            code=code,
            msp=msp,
            per_page=per_page,
            token=next_page_token,
        )
