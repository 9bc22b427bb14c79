"""Running the command line inside the test's process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from lotline.cli import app


def lotline(home: Path, *arguments: str, code: int = 0, stdin: bytes | None = None) -> Result:
    """Run a command on a home; the exit code must be ``code``."""
    result = CliRunner().invoke(app, ["--home", str(home), *arguments], input=stdin)
    assert result.exit_code == code, (result.exit_code, result.stdout[-2000:], result.stderr[-2000:])
    assert "Traceback" not in result.stderr
    return result


def answer(home: Path, *arguments: str, code: int = 0, stdin: bytes | None = None) -> Any:
    """The JSON answer of a command."""
    return json.loads(lotline(home, "--json", *arguments, code=code, stdin=stdin).stdout)
