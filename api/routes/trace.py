"""``/trace``: where it came from and where it went, through packing and making."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api import problems
from api.answers import GLN, GTIN, LOT, PGLN, SGTIN, SSCC, DeclarationOut
from api.auth import MAY_QUERY
from api.models import HASH, Answer
from api.parameters import ThingId
from api.problems import ApiError, query_error
from api.proofs import Nonce, Wanted, proof_of
from api.routes.handoffs import HandoffOut
from api.routing import ApiRoute
from instance.tokens import Principal
from proving.answers import shown_in, unprovable
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
    disposition: str | None = Field(description="By the newest event that says one", examples=["in_progress"])
    recalled: bool = Field(description="Its maker, or who holds it, says so of it or of its lot")
    possible: bool = Field(description="Goods were mixed: one of several they may be of, or what came of such")


class EdgeOut(Answer):
    """A link between two nodes, in the direction goods flow."""

    source: str = Field(examples=[SSCC])
    target: str = Field(examples=[SGTIN])
    kind: str = Field(
        description="contains; input, output of a transformation; instance_of: of a lot, or of a product",
        examples=["contains"],
    )
    start: datetime | None
    end: datetime | None = Field(description="null: still so")
    possible: bool = Field(description="As of nodes")


class TraceFaultOut(Answer):
    """An exception of a handoff; ``GET /exceptions/{id}`` has the whole of it."""

    id: str
    kind: str = Field(examples=["shortage"])
    status: str = Field(examples=["open"])
    detail: str | None = Field(examples=["released 10, accepted 8"])
    severity: str | None = Field(description="high, medium or low", examples=["high"])
    title: str = Field(description="The kind in words", examples=["Less arrived than left"])


class TraceHandoffOut(HandoffOut):
    """A handoff by which traced goods passed from one party to another."""

    item: str = Field(description="Id of a node, or of what the start is in", examples=[SSCC])
    upstream: bool = Field(description="The goods, or what they are made of, came by it")
    downstream: bool = Field(description="The goods, or what was made of them, went on by it")
    possible: bool = Field(description="As of nodes")
    late: bool = Field(description="Accepted after the promise, or past it and not accepted yet")
    recalled: bool = Field(description="What it moved is recalled, or held what is")
    faults: list[TraceFaultOut] = Field(description="Its exceptions, open and closed")


class TraceQuantityOut(Answer):
    """How much of a lot an event tells of."""

    thing: str = Field(examples=[LOT])
    quantity: float = Field(examples=[12.5])
    uom: str | None = Field(description="UN/ECE Rec 20 code; null: pieces", examples=["KGM"])


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
    quantities: list[TraceQuantityOut] = Field(description="Of those of them that are counted")
    documents: list[str] = Field(description="Business transactions", examples=[["urn:epcglobal:cbv:bt:0614141:D7"]])
    declares: str | None = Field(description="Of an error declaration: the event that it takes back")
    declared_in_error: list[DeclarationOut] = Field(description="What took it back: what it says does not count")


class TraceOut(Answer):
    """The whole trace of one thing."""

    start: str = Field(examples=[LOT])
    nodes: list[NodeOut]
    edges: list[EdgeOut]
    events: list[TraceEventOut] = Field(description="By event time")
    truncated: bool = Field(description="True: there is more than was asked for; raise the limits")
    handoffs: list[TraceHandoffOut] = Field(description="By time of release, or of acceptance where nobody released")
    names: dict[str, str] = Field(
        description="What products, places and parties in the answer are called", examples=[{PGLN: "Green Farm"}]
    )


@router.get("/trace/{thingID:path}", response_model=TraceOut, responses=problems.responses(400, 401, 403, 404, 406))
def get_trace(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    thing_id: ThingId,
    direction: Annotated[Literal["both", "upstream", "downstream"], Query()] = "both",
    max_nodes: Annotated[int, Query(alias="maxNodes", ge=1, le=100_000)] = 5_000,
    max_events: Annotated[int, Query(alias="maxEvents", ge=0, le=200_000)] = 20_000,
    proof: Wanted = False,
    nonce: Nonce = None,
) -> Any:
    """Trace an instance, lot or product by EPC URN or GS1 Digital Link.

    A product is traced as its lots, and its items that have none; of very many, those heard of last.
    """
    with request.app.state.engine.connect() as connection:
        found = trace(connection, thing_id, direction=direction, max_nodes=max_nodes, max_events=max_events)
    if found is None:
        raise ApiError(404, f"the ledger has never heard of {thing_id}")
    if proof:
        if why := unprovable(found):
            raise query_error("proof", why)
        return proof_of(request, "trace", found.start, nonce, direction=direction, shown=shown_in(found))
    return found
