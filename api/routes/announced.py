"""``/announced``: what is on its way to a party, with what is in it, so that a receipt can be checked without network."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from api import problems
from api.answers import GLN, PGLN, SGTIN, SSCC
from api.auth import MAY_SEE_THINGS
from api.commands import canonical
from api.models import Answer
from api.problems import ApiError
from api.routing import ApiRoute
from instance.tokens import Principal
from readmodel.queries import registry
from readmodel.queries.handoffs import HandoffFilter, HandoffRecord, handoffs
from readmodel.queries.things import thing

router = APIRouter(route_class=ApiRoute, tags=["handoffs"])
_MOST_HANDOFFS, _MOST_CONTENTS, _MOST_PARTIES = 100, 500, 500


class AnnouncedOut(Answer):
    """A handoff to the party that nobody has accepted yet."""

    item: str = Field(examples=[SSCC])
    contents: list[str] = Field(description="What is packed in it, at most 500", examples=[[SGTIN]])
    from_party: str | None = Field(examples=[PGLN])
    from_party_name: str | None = Field(examples=["Green Farm"])
    to_place: str | None = Field(examples=[GLN])
    reference_type: str | None = Field(examples=["desadv"])
    reference: str | None = Field(examples=["urn:epcglobal:cbv:bt:0614141000005:DN-17"])
    released: str | None = Field(description="Quantity of a lot, exact decimal", examples=["12.5"])
    uom: str | None
    promised_at: datetime | None


class PartnerOut(Answer):
    """A registered party."""

    id: str = Field(examples=[PGLN])
    name: str | None = Field(examples=["Shop"])


class WorkOut(Answer):
    """What a scanner needs to know to work without network."""

    server_time: datetime = Field(examples=["2026-05-04T09:12:33Z"])
    announced: list[AnnouncedOut] = Field(description="At most 100, the last released first")
    parties: list[PartnerOut] = Field(description="To ship to, at most 500")


@router.get("/announced", response_model=WorkOut, responses=problems.responses(400, 401, 403, 404, 406))
def get_announced(
    request: Request,
    principal: Annotated[Principal, Depends(MAY_SEE_THINGS)],
    party: Annotated[str, Query(max_length=500, description="One of the caller's organisation")],
    place: Annotated[
        str | None, Query(max_length=500, description="Only what goes there, or to no named place")
    ] = None,
) -> Any:
    """What is on its way to a party of the caller's organisation, and whom it may ship to."""
    party = canonical(party, "party", ("pgln",))
    where = None if place is None else canonical(place, "place", ("sgln",))
    with request.app.state.engine.connect() as connection:
        known = registry.party(connection, party)
        if known is None or known.msp != principal.msp_id:
            raise ApiError(404, f"{party} is no party of {principal.msp_id}")
        wanted = HandoffFilter(statuses=["released"], to_party=party)
        found = handoffs(connection, wanted, per_page=_MOST_HANDOFFS).items
        announced = [_announced(connection, one) for one in found if where is None or one.to_place in (None, where)]
        parties = registry.parties(connection, per_page=_MOST_PARTIES).items
    partners = [PartnerOut(id=one.id, name=one.name) for one in parties if one.registered]
    return WorkOut(server_time=datetime.now(UTC), announced=announced, parties=partners)


def _announced(connection: Connection, handoff: HandoffRecord) -> AnnouncedOut:
    is_unit = handoff.kind == "instance"
    packed = thing(connection, handoff.item, contents=_MOST_CONTENTS, events=0) if is_unit else None
    return AnnouncedOut(
        item=handoff.item,
        contents=[] if packed is None else [one.id for one in packed.contents],
        from_party=handoff.from_party,
        from_party_name=handoff.from_party_name,
        to_place=handoff.to_place,
        reference_type=handoff.reference_type,
        reference=handoff.reference,
        released=handoff.released,
        uom=handoff.uom,
        promised_at=handoff.promised_at,
    )
