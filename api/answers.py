"""Parts that several answers share."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.models import HASH, Answer

SSCC = "https://id.gs1.org/00/106141412345678908"
SGTIN = "https://id.gs1.org/01/09506000134352/21/4711"
LOT = "https://id.gs1.org/01/09506000134352/10/L42"
GTIN = "https://id.gs1.org/01/09506000134352"
PGLN = "https://id.gs1.org/417/0614141000005"
GLN = "https://id.gs1.org/414/0614141000012"


class DeclarationOut(Answer):
    """An error declaration: a statement that an event is wrong, so that what it says does not count."""

    event: str = Field(description="Name of the declaration; `GET /events/{event}` gives it", examples=[HASH])
    msp: str | None = Field(description="Organisation that declared", examples=["FarmMSP"])
    declared_at: datetime | None
    reason: str | None = Field(examples=["did_not_occur"])
    corrective_event_ids: list[str] = Field(alias="correctiveEventIDs", description="What is right instead")


class EventSummary(Answer):
    """An event without its body, with its provenance. ``GET /events/{hash}`` gives the whole."""

    hash: str = Field(examples=[HASH])
    event_id: str | None = Field(alias="eventID", description="Given by the client", examples=[None])
    type: str = Field(examples=["ObjectEvent"])
    action: str | None = Field(examples=["OBSERVE"])
    biz_step: str | None = Field(examples=["receiving"])
    disposition: str | None = Field(examples=["in_progress"])
    event_time: datetime
    record_time: datetime | None = Field(description="When the ledger got it")
    read_point: str | None = Field(examples=[GLN])
    biz_location: str | None = Field(examples=[GLN])
    party: str | None = Field(description="Who reports", examples=[PGLN])
    msp: str | None = Field(description="Organisation that signed the transaction", examples=["FarmMSP"])
    submitter: str | None = Field(description="Identity that signed the transaction")
    device: str | None = Field(description="Device that signed the event", examples=["dock-3-reader"])
    flags: list[str] = Field(description="What the contract found odd", examples=[[]])
    tx_id: str
    block: int = Field(examples=[17])
    event_hash: str = Field(
        description="Its CBV hash: of a declaration, that of the event it declares", examples=[HASH]
    )
    reporters: list[str] = Field(description="The other organisations that reported it", examples=[[]])
    other_ids: list[str] = Field(alias="otherEventIDs", description="What else it is called", examples=[[]])
    declares: str | None = Field(description="Of an error declaration: the event that it takes back")
    declared_in_error: list[DeclarationOut] = Field(description="What took it back: what it says does not count")
