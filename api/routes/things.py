"""``/things``: where it is now, who holds it, how much there is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api import lookup, problems
from api.answers import GLN, GTIN, LOT, PGLN, SGTIN, SSCC, EventSummary
from api.auth import MAY_SEE_THINGS
from api.models import Answer
from api.parameters import ThingId
from api.problems import ApiError, query_error
from api.proofs import Nonce, Wanted, proof_of
from api.routes.exceptions import ExceptionOut
from api.routes.handoffs import HandoffOut
from api.routing import ApiRoute
from epcis.identifiers import InvalidIdentifier
from instance.tokens import Principal
from readmodel.queries.things import thing as find_thing

router = APIRouter(route_class=ApiRoute, tags=["trace"])


class PackedOut(Answer):
    """Something directly inside: an instance, or a quantity of a class."""

    id: str = Field(examples=[SGTIN])
    quantity: str | None = Field(description="Of a class, exact decimal", examples=[None])
    uom: str | None


class BalanceOut(Answer):
    """How much of a lot a holder has at a place."""

    thing: str = Field(examples=[LOT])
    holder: str | None = Field(examples=[PGLN])
    place: str | None = Field(examples=[GLN])
    quantity: str = Field(description="Exact decimal", examples=["120"])
    uom: str | None = Field(examples=["KGM"])
    updated_at: datetime | None


class PackedStockOut(Answer):
    """How much of a lot is packed, by who holds the outermost units and where those are."""

    thing: str = Field(examples=[LOT])
    holder: str | None = Field(examples=[PGLN])
    place: str | None = Field(examples=[GLN])
    quantity: str = Field(description="Exact decimal", examples=["40"])
    uom: str | None = Field(examples=["KGM"])
    carriers: int = Field(description="How many units it is on", examples=[2])


class MovingStockOut(Answer):
    """How much of a lot is on its way."""

    thing: str = Field(examples=[LOT])
    quantity: str = Field(examples=["20"])
    uom: str | None = Field(examples=["KGM"])
    handoff: str | None = Field(description="Of loose goods: by which handoff")
    carrier: str | None = Field(description="Of packed goods: the outermost unit", examples=[SSCC])


class StockSumOut(Answer):
    """All there is of a lot, in one unit."""

    uom: str | None = Field(description="Base unit, UN/ECE Rec 20 code; null: pieces", examples=["KGM"])
    loose: str = Field(examples=["60"])
    packed: str = Field(examples=["40"])
    in_transit: str = Field(examples=["20"])
    total: str = Field(examples=["120"])


class MassBalanceOut(Answer):
    """Whether what was made of a lot is accounted for: expected = made - used - sold - removed - missing."""

    uom: str | None = Field(examples=["KGM"])
    made: str = Field(examples=["200"])
    used: str = Field(examples=["50"])
    sold: str = Field(examples=["28"])
    removed: str = Field(description="Destroyed, decommissioned …, also with the unit it was on", examples=["0"])
    missing: str = Field(description="Left by handoffs and not accepted with the rest; negative: more", examples=["2"])
    expected: str = Field(examples=["120"])
    on_hand: str = Field(description="Loose, packed and in transit", examples=["120"])
    difference: str = Field(description="On hand beyond what is expected; negative: not there", examples=["0"])


class ThingOut(Answer):
    """An instance, a lot, or a product, as the ledger has it now."""

    id: str = Field(examples=[SGTIN])
    kind: str = Field(description="instance, lot, product or class", examples=["instance"])
    product: str | None = Field(examples=[GTIN])
    product_name: str | None = Field(examples=["Apple juice 1 l"])
    lot: str | None = Field(examples=[LOT])
    msp: str | None = Field(description="Organisation that has it; of a lot, that made it", examples=["FarmMSP"])
    status: str | None = Field(
        description="Of a lot: recalled; active: some is on hand; in_transit: all that is left is; ended",
        examples=["active"],
    )
    disposition: str | None = Field(
        description="recalled, else of a lot that of the newest event that says one", examples=["in_progress"]
    )
    recalled: bool = Field(description="Its maker, or who holds it, says so of it or of its lot")
    commissioned: bool | None
    updated_at: datetime | None
    endorsers: list[str] = Field(
        description="Organisations that must agree to every change; none: the channel's majority decides",
        examples=[["CarrierMSP", "FarmMSP"]],
    )
    parents: list[str] = Field(description="What it is in, from the inside out", examples=[[SSCC]])
    place: str | None = Field(description="Of the outermost parent", examples=[GLN])
    place_name: str | None
    holder: str | None = Field(description="Of the outermost parent", examples=[PGLN])
    holder_name: str | None = Field(examples=["Green Farm"])
    contents: list[PackedOut] = Field(description="The first ones, see contentsTotal")
    contents_total: int
    balances: list[BalanceOut] = Field(description="Of a lot or product: what is loose")
    total: dict[str, str] = Field(description='Sum of the balances by unit; "" is pieces', examples=[{"KGM": "120"}])
    packed: list[PackedStockOut] = Field(description="Of a lot or product: what is packed and not on its way")
    in_transit: list[MovingStockOut] = Field(description="Of a lot or product: what is on its way")
    sums: list[StockSumOut] = Field(description="Loose, packed and in transit together, by unit")
    mass_balance: list[MassBalanceOut] = Field(description="Of a lot, by unit")
    instances: dict[str, int] = Field(description="Of a lot or product, by status", examples=[{"active": 40}])
    handoffs: list[HandoffOut] = Field(description="Open ones, of it or of what it is in")
    exceptions: list[ExceptionOut] = Field(description="Open ones")
    events: list[EventSummary] = Field(description="The newest first")


class NumberedOut(Answer):
    """Everything that carries a number."""

    items: list[str] = Field(description="Digital Links, at most twenty", examples=[[LOT]])


@router.get("/things", response_model=NumberedOut, responses=problems.responses(400, 401, 403, 406))
def find_things(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    number: Annotated[
        str,
        Query(
            min_length=1,
            max_length=500,
            description="What is printed or scanned: a lot, serial, product or pallet number, an element string, a link",
        ),
    ],
) -> Any:
    """The things that carry a number as it is printed on them: a lot number needs no GTIN to be looked up.

    An identifier in any form is answered with its canonical Digital Link, whether the ledger has heard of it or not.
    """
    try:
        with request.app.state.engine.connect() as connection:
            return NumberedOut(items=lookup.find_things(connection, number))
    except InvalidIdentifier as error:
        raise query_error("number", str(error)) from error


@router.get("/things/{thingID:path}", response_model=ThingOut, responses=problems.responses(400, 401, 403, 404, 406))
def get_thing(
    request: Request,
    _: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    thing_id: ThingId,
    contents: Annotated[int, Query(ge=0, le=10_000, description="Give so many of its contents")] = 200,
    events: Annotated[int, Query(ge=0, le=1000, description="Give so many of its last events")] = 20,
    proof: Wanted = False,
    nonce: Nonce = None,
) -> Any:
    """An instance, lot or product by EPC URN or GS1 Digital Link."""
    with request.app.state.engine.connect() as connection:
        found = find_thing(connection, thing_id, contents=contents, events=events)
    if found is None:
        raise ApiError(404, f"the ledger has never heard of {thing_id}")
    if proof:
        return proof_of(request, "thing", found.id, nonce)
    return found
