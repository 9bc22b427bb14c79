"""The OpenAPI document: what the generated one lacks."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import ProblemDocument

try:
    VERSION = version("lotline")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0"

DESCRIPTION = """
Capture and query of EPCIS 2.0 events on a shared ledger.

Every request needs `Authorization: Bearer <token>`, except `/health`, `/metrics` and this document. A token
is
bound to an identity of an organisation and to a role. Errors are problem documents (RFC 9457).
Identifiers in paths are percent-encoded GS1 Digital Links, EPC URNs or event hashes (`ni:///sha-256;…`).
"""
TAGS: list[dict[str, Any]] = [
    {"name": "capture", "description": "Events in: many at once, answered as soon as they are safe."},
    {"name": "events", "description": "EPCIS events: one in, many out."},
    {"name": "trace", "description": "Where it came from, where it went, where it is."},
    {"name": "handoffs", "description": "Goods between parties: handoffs and their exceptions."},
    {"name": "registry", "description": "Parties, places and devices."},
    {"name": "foresight", "description": "Forecasts and disruptions."},
    {"name": "operation", "description": "For those who watch over the instance."},
]


def install(app: FastAPI) -> None:
    """Replace the generator of ``app`` by one that adds the problem document's schema."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _complete(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        separate_input_output_schemas=False,
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["ProblemDocument"] = problem
    return made
