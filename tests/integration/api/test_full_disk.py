"""A disk that is full: the worker waits and says so, and goes on where it was once there is room."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from instance.database import transaction
from instance.settings import Settings
from relay.heartbeat import read_heartbeat
from relay.inbox import NewJob
from relay.intake import Intake, read
from relay.jobs import open_inbox
from relay.writer import store
from tests.integration.api.conftest import document, event
from tests.integration.api.kept import read_ledger, unfinished
from tests.integration.api.processes import until

JOBS = 40


def fill(settings: Settings) -> None:
    with closing(open_inbox(settings.inbox_file)) as inbox, transaction(inbox):
        for number in range(JOBS):
            intake = read(
                json.dumps(document(event(number, **{"example:note": "x" * 4000}) | {"@context": EXAMPLE})).encode()
            )
            assert isinstance(intake, Intake), intake
            store(inbox, NewJob.of_intake(intake, "FarmMSP", "scanner", "rollback"))


EXAMPLE = [{"example": "https://example.org/ns/"}]


class Cramped:
    """A worker none of whose files may grow beyond a size, which is how a disk without room looks to it."""

    def __init__(self, settings: Settings, most_bytes: int) -> None:
        self.log: Path = settings.logs_dir / "cramped.out"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "relay.worker", "--home", str(settings.home)],
                stdout=output,
                stderr=output,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY)),
            )

    def give_room(self) -> None:
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_the_worker_waits_for_room_and_goes_on(settings: Settings) -> None:
    fill(settings)
    sizes = [path.stat().st_size for path in (settings.inbox_file, settings.ledger_dir / "ledger.db")]
    worker = Cramped(settings, max(sizes) + 60_000)
    try:
        until(lambda: troubled(settings) or worker.process.poll() is not None)
        assert worker.process.poll() is None, worker.log.read_text()[-2000:]
        assert unfinished(settings) > 0
        worker.give_room()
        until(lambda: unfinished(settings) == 0)
        worker.process.terminate()
        assert worker.process.wait(30) == 0
    finally:
        worker.process.kill()
    record = asyncio.run(read_ledger(settings))
    assert (len(record.events), set(record.events.values())) == (JOBS, {1})


def troubled(settings: Settings) -> bool:
    """Whether the worker says that it cannot write."""
    heartbeat = read_heartbeat(settings.heartbeat_file)
    return heartbeat is not None and bool(heartbeat.unwritable or heartbeat.failing)
