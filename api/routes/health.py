"""``/health`` and ``/metrics``: for machines that watch over the instance. Counts only, so no token is
asked for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api import problems
from api.routing import ApiRoute
from api.status import Status

router = APIRouter(route_class=ApiRoute, tags=["operation"])


@router.get("/health", response_model=Status, responses=problems.responses(406))
def get_health(request: Request) -> Any:
    """Whether scans reach the ledger and queries show them. Always 200; `status` tells."""
    return request.app.state.status()


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
