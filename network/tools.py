"""Fabric's command-line tools, run to their end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class ToolError(RuntimeError):
    """A tool said no; the message is the end of what it printed."""


def run(
    binaries: Path,
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    seconds: float = 120.0,
    folder: Path | None = None,
) -> str:
    """Run a tool and return what it printed on standard output. Raises ToolError."""
    tool, *arguments = command
    try:
        done = subprocess.run(
            [str(binaries / tool), *arguments],
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            umask=0o077,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{tool} {' '.join(arguments[:3])} did not end within {seconds:.0f} s") from error
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise ToolError(f"{tool} {' '.join(arguments[:3])} failed:\n{said}")
    return done.stdout
