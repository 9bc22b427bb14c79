"""``/quarantine``: what is on the ledger and cannot be read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from api import problems
from api.auth import MAY_QUERY
from api.models import Answer, Page
from api.paging import PageSize, PageToken
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries.quarantine import quarantined

router = APIRouter(route_class=ApiRoute, tags=["operation"])


class QuarantineOut(Answer):
    """A record that was set aside, as evidence. It is in no answer; everything else is."""

    block: int = Field(examples=[17])
    tx_id: str
    write: int | None = Field(description="Which write of the transaction; null: its answer, or all of it")
    kind: str = Field(description="The record's type on the ledger", examples=["EV"])
    key: str
    reason: str = Field(description="Why it cannot be read", examples=["eventTime: missing"])
    size: int = Field(description="In bytes", examples=[383])
    digest: str = Field(description="SHA-256 of the whole, in hexadecimal")
    raw: str = Field(description="Its first 1,024 bytes, in base64")
    msp: str | None = Field(description="Organisation that signed the transaction", examples=["FarmMSP"])


@router.get("/quarantine", response_model=Page[QuarantineOut], responses=problems.responses(400, 401, 403, 406))
def get_quarantine(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    per_page: PageSize = 30,
    next_page_token: PageToken = None,
) -> Any:
    """Records that cannot be read, the latest on the ledger first."""
    with request.app.state.engine.connect() as connection:
        return quarantined(connection, per_page=per_page, token=next_page_token)
