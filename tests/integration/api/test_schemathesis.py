"""Schemathesis against the real processes: the service keeps to its OpenAPI document, whatever is sent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode

from api.app import create_app
from instance.creation import create_token, load_settings
from instance.settings import LedgerSettings, Settings
from tests.integration.api.conftest import ORGANISATIONS
from tests.integration.api.processes import Process, answers, free_port, until

EXAMPLES = 25
# A schema can't say that a check digit is right or that a place is nobody else's: valid by the schema may be
# turned away as bad input, but never with a fault of the server.
CONFIG = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409", "413", "422"]}}}


@pytest.fixture(scope="module")
def running(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL and admin token of an instance with both processes."""
    home = Path(shutil.copytree(template, tmp_path_factory.mktemp("schemathesis") / "home"))
    port = free_port()
    worker, server = Process("relay.worker", home), Process("api.server", home, "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url))
        yield url, create_token(load_settings(home), "admin", "admin", "FarmMSP")
        log = server.log.read_text()
        assert "unhandled" not in log, log[-3000:]
        assert server.terminate() == 0
        assert worker.terminate() == 0
    finally:
        server.stop()
        worker.stop()


ANY_SETTINGS = Settings(home=Path("unused"), ledger=LedgerSettings(organisations=tuple(ORGANISATIONS)))
schema = schemathesis.openapi.from_dict(create_app(ANY_SETTINGS).openapi(), config=SchemathesisConfig.from_dict(CONFIG))


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=5000, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_service_keeps_to_its_description(case: Case[Any], running: tuple[str, str]) -> None:
    url, token = running
    case.call_and_validate(
        base_url=url, headers=None if _has_bad_headers(case) else {"Authorization": f"Bearer {token}"}
    )


def _has_bad_headers(case: Case[Any]) -> bool:
    """Whether the headers are meant to be wrong, as without authorisation: a token would mend them."""
    made = case.meta.components.get(ParameterLocation.HEADER) if case.meta is not None else None
    return made is not None and made.mode is GenerationMode.NEGATIVE
