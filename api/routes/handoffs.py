"""``/handoffs``: goods between two parties, attested by each side."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field

from api import problems
from api.answers import GLN, GTIN, PGLN, SSCC
from api.auth import MAY_QUERY, MAY_SEE_THINGS
from api.models import Answer, Page
from api.paging import PageSize, PageToken
from api.parameters import AsOf, Identifier, moment_of
from api.problems import ApiError
from api.proofs import Nonce, Wanted, proof_of
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries.handoffs import HandoffFilter, handoffs
from readmodel.queries.handoffs import handoff as find_handoff

router = APIRouter(route_class=ApiRoute, tags=["handoffs"])
HandoffStatus = Literal["released", "accepted", "complete", "disputed"]


class HandoffLineOut(Answer):
    """How much of a product the handoff moves."""

    product: str = Field(examples=[GTIN])
    uom: str | None = Field(description="UN/ECE Rec 20 code; null: pieces", examples=["KGM"])
    released: float | None
    accepted: float | None


class HandoffOut(Answer):
    """One item, one hop: the sender's release and the receiver's acceptance, in whichever order they came."""

    id: str
    item: str = Field(examples=[SSCC])
    kind: str = Field(description="instance or lot", examples=["instance"])
    status: str = Field(examples=["released"])
    from_party: str | None = Field(examples=[PGLN])
    from_party_name: str | None = Field(examples=["Green Farm"])
    to_party: str | None = Field(examples=[PGLN])
    to_party_name: str | None
    from_place: str | None = Field(examples=[GLN])
    from_place_name: str | None
    to_place: str | None = Field(examples=[GLN])
    to_place_name: str | None
    reference_type: str | None = Field(examples=["desadv"])
    reference: str | None
    released: str | None = Field(description="Quantity of a lot, exact decimal", examples=["12.5"])
    accepted: str | None
    uom: str | None
    released_at: datetime | None
    accepted_at: datetime | None
    promised_at: datetime | None
    from_msp: str | None
    to_msp: str | None
    release_events: list[str] = Field(description="Event hashes")
    accept_events: list[str] = Field(description="Event hashes")
    late_probability: float | None = Field(description="From the newest forecast run", examples=[0.12])
    lines: list[HandoffLineOut]


@router.get("/handoffs", response_model=Page[HandoffOut], responses=problems.responses(400, 401, 403, 406))
def get_handoffs(
    request: Request,
    _: Annotated[Principal, Depends(MAY_QUERY)],
    status: Annotated[list[HandoffStatus], Query(description="Any of these")] = [],  # noqa: B006
    late: Annotated[bool, Query(description="Promised before now (or `asOf`) and not accepted by then")] = False,
    as_of: AsOf = None,
    party: Identifier = None,
    from_party: Annotated[Identifier, Query(alias="fromParty")] = None,
    to_party: Annotated[Identifier, Query(alias="toParty")] = None,
    place: Identifier = None,
    item: Identifier = None,
    product: Identifier = None,
    reference: Annotated[str | None, Query(max_length=500, description="Business document")] = None,
    order: Annotated[
        Literal["newest", "promised", "lastPromised"],
        Query(description="promised, lastPromised: those with a promise only, the earliest or the latest first"),
    ] = "newest",
    per_page: PageSize = 30,
    next_page_token: PageToken = None,
) -> Any:
    """Handoffs that match all that is given, the last released first or by promised date."""
    wanted = HandoffFilter(
        statuses=status,
        late_at=moment_of(as_of) if late else None,
        party=party,
        from_party=from_party,
        to_party=to_party,
        place=place,
        item=item,
        product=product,
        reference=reference,
        order=order,
    )
    with request.app.state.engine.connect() as connection:
        return handoffs(connection, wanted, per_page=per_page, token=next_page_token)


@router.get(
    "/handoffs/{handoffID:path}", response_model=HandoffOut, responses=problems.responses(400, 401, 403, 404, 406)
)
def get_handoff(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    handoff_id: Annotated[str, Path(alias="handoffID", max_length=500)],
    proof: Wanted = False,
    nonce: Nonce = None,
) -> Any:
    """One handoff."""
    with request.app.state.engine.connect() as connection:
        found = find_handoff(connection, handoff_id)
    if found is None:
        raise ApiError(404, "no such handoff on the ledger")
    if proof:
        return proof_of(request, "handoff", found.item, nonce, subject=handoff_id)
    return found
