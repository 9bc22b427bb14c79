"""What an instance's own network does not take: the job says why, in words for whoever captured, and nothing waits for ever."""

from __future__ import annotations

import asyncio
import base64
import random
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fabric.gateway.options import Deadlines
from fabric.words.identity import Identity
from fabric.words.keys import KeyType, private_pem
from instance.creation import load_settings
from instance.settings import Settings
from relay.worker import Worker
from tests.fabric.api.conftest import make_instance
from tests.fabric.playground import Playground
from tests.integration.api.conftest import CONTEXT, Service, bare, document, event

pytestmark = pytest.mark.fabric
EXAMPLE = {"@context": [CONTEXT, {"example": "https://example.org/"}]}


@pytest.fixture
def settings(home: Path) -> Settings:
    """Batches may be larger than what the network carries."""
    config = home / "config.toml"
    config.write_text(config.read_text() + "batch_bytes = 30_000_000\n")
    return load_settings(home)


async def speak_as(service: Service, who: Identity) -> None:
    """The scanner of FarmMSP has got another certificate."""
    folder = service.settings.organisation_dir("FarmMSP") / "identities" / "scanner"
    (folder / "cert.pem").write_bytes(who.certificate)
    (folder / "key.pem").write_bytes(private_pem(who.key))


def reason(job: dict[str, Any]) -> str:
    """Why a job failed."""
    assert (job["running"], job["success"], job["rejected"]) == (False, False, job["events"]), job
    (error,) = job["errors"]
    return f"{error['status']} {error['detail']}"


async def waits_for_its_identity(service: Service, spoil: Callable[[], Awaitable[None]]) -> str:
    """What health says of a scanner that cannot write; its job is captured once it can."""
    folder = service.settings.organisation_dir("FarmMSP") / "identities" / "scanner"
    sound = {path: path.read_bytes() for path in folder.iterdir()}
    await spoil()
    location = (await service.scanner.post("/capture", json=document(event(1)))).headers["location"]
    async with asyncio.timeout(60):
        while not (failing := (await service.admin.get("/health")).json()["worker"]["failing"]):
            await asyncio.sleep(0.05)
    assert (await service.scanner.get(location)).json()["running"]
    for path, content in sound.items():
        path.write_bytes(content)
    assert (await service.finished(location))["accepted"] == 1
    return str(failing[0])


async def test_a_certificate_of_another_organisation(service: Service, playground: Playground) -> None:
    async def spoil() -> None:
        await speak_as(service, await asyncio.to_thread(playground.identity, "ShopMSP"))

    assert "InvalidIdentity: scanner of FarmMSP" in await waits_for_its_identity(service, spoil)


async def test_a_certificate_without_the_attribute_role(service: Service, playground: Playground) -> None:
    await speak_as(service, await asyncio.to_thread(playground.identity, "FarmMSP", None))
    told = reason(await service.capture(event(1)))
    assert told == "403 to capture events the certificate must carry the role admin or scanner, not none"


@pytest.mark.parametrize("key", [b"", b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"])
async def test_a_key_that_is_none(service: Service, key: bytes) -> None:
    async def spoil() -> None:
        (service.settings.organisation_dir("FarmMSP") / "identities" / "scanner" / "key.pem").write_bytes(key)

    assert "the key of 'scanner' of FarmMSP cannot be used" in await waits_for_its_identity(service, spoil)


@pytest.mark.parametrize("key_type", [KeyType.P384, KeyType.ED25519])
async def test_scanners_with_other_kinds_of_keys(service: Service, playground: Playground, key_type: KeyType) -> None:
    await speak_as(service, await asyncio.to_thread(playground.identity, "FarmMSP", "scanner", key_type=key_type))
    assert (await service.capture(event(1)))["accepted"] == 1


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """A worker, from here on."""
    worker = Worker(service.settings)
    await worker.start()
    yield
    await worker.stop()


async def test_what_the_network_does_not_carry(idle_service: Service) -> None:
    """Documents that are too large together go one by one; one that is too large by itself fails."""
    service = idle_service
    chance = random.Random(7)  # what does not shrink when batches are compressed
    notes = iter(base64.b64encode(chance.randbytes(170_000)).decode() for _ in range(42))
    numbers = iter(range(42))
    documents = [
        {**document(*(event(next(numbers), **{"example:note": next(notes)}) for _ in range(count))), **EXAMPLE}
        for count in (3, 3, 36)
    ]
    answers = [await service.scanner.post("/capture", json=one) for one in documents]
    assert [answer.status_code for answer in answers] == [202] * 3
    async with working(service):
        first, second, third = [await service.finished(answer.headers["location"]) for answer in answers]
    assert [job["accepted"] for job in (first, second)] == [3, 3]
    told = reason(third)
    assert told.startswith("413")
    assert "exceeds maximum allowed" in told


@pytest.fixture
def permission(tmp_path: Path) -> Path:
    """The hesitant chaincode answers once this file is there."""
    return tmp_path / "permission"


@pytest.fixture
async def hesitant(playground: Playground, permission: Path, tmp_path: Path) -> Settings:
    """An instance whose chaincode does not answer, and whose patience is short."""
    command = [sys.executable, "-m", "tests.fabric.api.hesitant_server", str(permission)]
    chaincode = await asyncio.to_thread(playground.fresh, "hesitant", command)
    home = await asyncio.to_thread(make_instance, playground, tmp_path / "hesitant", chaincode)
    config = home / "config.toml"
    config.write_text(config.read_text().replace("port = 8700", "port = 8700\nsync_deadline = 0.5"))
    return load_settings(home)


class TestAChaincodeThatDoesNotAnswer:
    """Nobody hangs: captures are taken, the wait is told, and what waited is done once, later."""

    @pytest.fixture
    def settings(self, hesitant: Settings) -> Settings:
        return hesitant

    async def test_it_is_told(self, idle_service: Service, permission: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ledger.network.adapter.Deadlines", partial(Deadlines, endorse=0.5, evaluate=0.5))
        async with working(idle_service):
            scanner = idle_service.scanner
            captured = await scanner.post("/capture", json=document(event(1)))
            synchronous = await scanner.post("/events", json=bare(2))
            assert [captured.status_code, synchronous.status_code] == [202, 202]
            for answer in (captured, synchronous):
                job = (await scanner.get(answer.headers["location"])).json()
                assert (job["running"], job["accepted"]) == (True, None)
            async with asyncio.timeout(30):
                while not (health := (await idle_service.admin.get("/health")).json())["worker"]["failing"]:
                    await asyncio.sleep(0.05)
            assert health["status"] == "degraded"
            assert re.search("Deadline Exceeded|does its chaincode answer", health["worker"]["failing"][0])
            permission.touch()
            for answer in (captured, synchronous):
                assert (await idle_service.finished(answer.headers["location"]))["accepted"] == 1
