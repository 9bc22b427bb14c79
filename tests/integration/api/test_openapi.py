"""The OpenAPI document is valid and complete."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from openapi_spec_validator import validate

from api.app import create_app
from instance.creation import load_settings
from tests.integration.api.conftest import Service


@pytest.fixture
def app(home: Path) -> FastAPI:
    return create_app(load_settings(home))


def test_it_is_valid(app: FastAPI) -> None:
    validate(app.openapi())


def test_every_operation_is_described_with_examples_and_errors(app: FastAPI) -> None:
    document = app.openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert operation["tags"], where
            assert "default" in operation["responses"], where
            public = path in ("/health", "/metrics")
            assert public or operation["security"], where
            assert public or {"401", "403"} <= operation["responses"].keys(), where
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema and not name.startswith("Page"):
            text = str(schema)
            assert "example" in text, f"{name} has no example"


def test_names_are_camel_case(app: FastAPI) -> None:
    for name, schema in app.openapi()["components"]["schemas"].items():
        for field in schema.get("properties", {}):
            assert "_" not in field, f"{name}.{field}"


async def test_options_tell_methods_and_limits(idle_service: Service) -> None:
    answer = await idle_service.nobody.options("/capture")
    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert answer.headers["gs1-epcis-version"] == "2.0.0"
    assert answer.headers["gs1-capture-error-behaviour"] == "rollback, proceed"
    assert int(answer.headers["gs1-epcis-capture-limit"]) > 0


async def test_every_answer_has_its_headers(idle_service: Service) -> None:
    for path in ("/health", "/capture", "/nothing"):
        answer = await idle_service.scanner.get(path, headers={"X-Request-Id": "scan-17"})
        assert answer.headers["x-request-id"] == "scan-17"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    answer = await idle_service.scanner.get("/health", headers={"X-Request-Id": "a b\x7f"})
    assert answer.headers["x-request-id"] != "a b\x7f"
