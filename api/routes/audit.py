"""``/audit``: what the watcher found changed behind the ledger's back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from api import problems
from api.auth import MAY_QUERY
from api.models import Answer
from api.routing import ApiRoute
from auditing import read_report
from instance.tokens import Principal

router = APIRouter(route_class=ApiRoute, tags=["operation"])


class FindingOut(Answer):
    """Something that is not what the ledger's blocks make it."""

    where: str = Field(description="`blocks`, `state` or `tables`", examples=["tables"])
    whose: str = Field(description="Whose copy", examples=["read model"])
    what: str = Field(
        description="The block, key or row", examples=["thing 12 ('https://id.gs1.org/00/095210000000000019')"]
    )
    detail: str = Field(examples=["status is 'stolen' and should be 'active'"])
    block: int | None = Field(examples=[None])


class AuditOut(Answer):
    """The watcher's last pass."""

    at: datetime | None = Field(description="When it ended; null before the first")
    seconds: float | None = Field(description="How long it took", examples=[2.7])
    blocks: int = Field(description="Blocks verified", examples=[130])
    rows: int = Field(description="Rows compared", examples=[96_000])
    count: int = Field(description="How many differences; the first 200 are listed", examples=[0])
    findings: list[FindingOut]
    unread: list[str] = Field(description="What could not be looked at", examples=[[]])


@router.get("/audit", response_model=AuditOut, responses=problems.responses(401, 403, 406))
def get_audit(request: Request, _: Annotated[Principal, Depends(MAY_QUERY)]) -> Any:
    """What the watcher found: blocks, world state or rows that were changed behind the ledger's back."""
    report = read_report(request.app.state.settings.run_dir)
    if report is None:
        return AuditOut(at=None, seconds=None, blocks=0, rows=0, count=0, findings=[], unread=[])
    return AuditOut(
        at=datetime.fromtimestamp(report.ended, UTC),
        seconds=round(report.ended - report.began, 3),
        blocks=report.blocks,
        rows=report.rows,
        count=report.count,
        findings=[FindingOut.model_validate(one, from_attributes=True) for one in report.findings],
        unread=report.unread,
    )
