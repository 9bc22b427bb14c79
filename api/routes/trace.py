"""``/trace``: where it came from and where it went, through packing and making."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api import problems
from api.answers import GLN, GTIN, LOT, PGLN, SGTIN, SSCC
from api.auth import MAY_QUERY
from api.models import HASH, Answer
from api.parameters import ThingId
from api.problems import ApiError
from api.routing import ApiRoute
from api.tokens import Principal
from readmodel.queries.trace import trace

router = APIRouter(route_class=ApiRoute, tags=["trace"])


class NodeOut(Answer):
    """A thing or a transformation on the trace."""

    id: str = Field(examples=[LOT])
    kind: str = Field(description="instance, lot, product, class or transformation", examples=["lot"])
    role: str = Field(
        description="start; material: one is made of the other; carrier: held it; lot: of an instance",
        examples=["material"],
    )
    depth: int = Field(description="Steps from the start", examples=[1])
    product: str | None = Field(examples=[GTIN])
    lot: str | None
    status: str | None = Field(examples=["active"])
    place: str | None = Field(examples=[GLN])
    holder: str | None = Field(examples=[PGLN])
    upstream: bool = Field(description="It came from there")
    downstream: bool = Field(description="It went there")


class EdgeOut(Answer):
    """A link between two nodes, in the direction goods flow."""

    source: str = Field(examples=[SSCC])
    target: str = Field(examples=[SGTIN])
    kind: str = Field(description="contains, input, output or instance_of", examples=["contains"])
    start: datetime | None
    end: datetime | None = Field(description="null: still so")


class TraceEventOut(Answer):
    """An event that a traced thing had part in, with its provenance."""

    hash: str = Field(examples=[HASH])
    type: str = Field(examples=["TransformationEvent"])
    action: str | None
    biz_step: str | None = Field(examples=["commissioning"])
    disposition: str | None
    event_time: datetime
    record_time: datetime | None
    read_point: str | None = Field(examples=[GLN])
    biz_location: str | None
    party: str | None = Field(examples=[PGLN])
    msp: str | None = Field(examples=["FarmMSP"])
    tx_id: str
    block: int = Field(examples=[17])
    things: list[str] = Field(description="Ids of nodes", examples=[[LOT]])


class TraceOut(Answer):
    """The whole trace of one thing."""

    start: str = Field(examples=[LOT])
    nodes: list[NodeOut]
    edges: list[EdgeOut]
    events: list[TraceEventOut] = Field(description="By event time")
    truncated: bool = Field(description="True: there is more than was asked for; raise the limits")


@router.get("/trace/{thingID:path}", response_model=TraceOut, responses=problems.responses(400, 401, 403, 404, 406))
def get_trace(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    thing_id: ThingId,
    direction: Annotated[Literal["both", "upstream", "downstream"], Query()] = "both",
    max_nodes: Annotated[int, Query(alias="maxNodes", ge=1, le=100_000)] = 5_000,
    max_events: Annotated[int, Query(alias="maxEvents", ge=0, le=200_000)] = 20_000,
) -> Any:
    """Trace an instance, lot or product by EPC URN or GS1 Digital Link."""
    with request.app.state.engine.connect() as connection:
        found = trace(connection, thing_id, direction=direction, max_nodes=max_nodes, max_events=max_events)
    if found is None:
        raise ApiError(404, f"the ledger has never heard of {thing_id}")
    return found
