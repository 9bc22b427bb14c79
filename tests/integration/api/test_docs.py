"""The walk-through of docs/api.md does what it says: its commands are run here, as they are printed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from instance.creation import Settings
from tests.integration.api.processes import Process, answers, free_port, until

DOCS = Path(__file__).resolve().parents[3] / "docs" / "api.md"


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    port = free_port()
    server = Process("api.server", settings.home, "--port", str(port))
    worker = Process("relay.worker", settings.home)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}"))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()
        worker.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_walk_through_works(settings: Settings, url: str, tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.S | re.M)
    assert len(blocks) == 5
    assert "8700" in blocks[0]
    here = f"URL={url}\nTOKEN=$(cat {settings.admin_token_file})\n"
    script = "set -euo pipefail\n" + here + "\necho\n".join(blocks[1:])
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    job = json.loads((tmp_path / "job.json").read_text())
    assert (job["success"], job["accepted"]) == (True, 1)
    assert '"status":"active"' in done.stdout
    assert '"status":"ok"' in done.stdout
