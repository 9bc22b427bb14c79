"""``/health`` and ``/metrics``: for machines that watch over the instance. No token is asked for: without one, health is a
single word, and the metrics are counts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api import problems
from api.auth import EVERYBODY
from api.routing import ApiRoute
from api.status import State, Status, for_everybody
from instance.tokens import Principal

router = APIRouter(route_class=ApiRoute, tags=["operation"])


# An administrator and an auditor also see the words of peers and databases, which name inner addresses.
_SEE_ALL = ("admin", "auditor")


@router.get(
    "/health",
    response_model=Status | State,
    responses=problems.responses(401, 406),
    openapi_extra={"security": [{}]},  # beside the token's: it may be left out
)
def get_health(request: Request, principal: Annotated[Principal | None, Depends(EVERYBODY)]) -> Any:
    """Whether scans reach the ledger and queries show them. Always 200; `status` tells.

    Without a token that is all. With one, `reasons` say why, with counts; an administrator's or auditor's shows the errors
    themselves too.
    """
    status: Status = request.app.state.status()
    if principal is None:
        return State(status=status.status)
    return status if principal.role in _SEE_ALL else for_everybody(status)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **problems.responses(406),
    },
)
def get_metrics(request: Request) -> Response:
    """For Prometheus."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
