"""The README's commands work as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.lotline.test_up import free_port

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands() -> str:
    """All blocks as one script: later ones build on what earlier ones made."""
    return "\n".join(BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_first_quarter_of_an_hour(tmp_path: Path) -> None:
    port = str(free_port())
    script = commands().replace("8700", port).replace("lotline init ", f"lotline init --port {port} ")
    script = script.replace(". .venv/bin/activate", f"export PATH={Path(sys.executable).parent}:$PATH")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "script.sh").write_text(f"set -eu\n{script}\n")
    environment = {name: value for name, value in os.environ.items() if name != "LOTLINE_HOME"}
    done = subprocess.run(["bash", "script.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "open exception: shortage" in done.stdout
    assert "refused, as it should be" in done.stdout
    assert ": equal" in done.stdout
    assert "captureID" in done.stdout
    assert "Traceback" not in done.stderr


def test_every_link_leads_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target


def test_every_command_is_in_the_reference() -> None:
    from lotline.cli import COMMANDS

    reference = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`{name}" in reference, name
