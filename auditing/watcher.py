"""The watcher's process: a pass, a pause, and again. Its last report lies where health and dashboard find it.

python -m auditing.watcher --home HOME
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import structlog

from auditing.passing import audit
from auditing.report import Report, write_report
from instance import logs
from instance.creation import load_settings
from instance.settings import Settings

log = structlog.get_logger("lotline.watcher")
_NICE = 19


def watch(settings: Settings) -> None:
    """Look, wait as long as is configured (or as long as looking took), and look again."""
    while True:
        began = time.monotonic()
        try:
            report = asyncio.run(audit(settings))
            write_report(settings.run_dir, report)
            _tell(report)
        except Exception as error:  # whatever it is, the next pass may do better
            log.exception("a pass failed", error=str(error))
        time.sleep(max(settings.watch.minutes * 60, time.monotonic() - began))


def _tell(report: Report) -> None:
    log.info("pass", blocks=report.blocks, rows=report.rows, findings=report.count, seconds=report.ended - report.began)
    for finding in report.findings:
        log.error("changed behind the ledger's back", where=finding.where, whose=finding.whose, what=finding.what)
    for words in report.unread:
        log.warning("could not be looked at", what=words)


def main() -> None:
    """Entry point of the process."""
    os.umask(0o077)
    parser = argparse.ArgumentParser(description="Look again and again whether blocks, state or tables were changed.")
    parser.add_argument("--home", required=True, type=Path)
    settings = load_settings(parser.parse_args().home)
    logs.configure("watcher")
    os.nice(_NICE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        watch(settings)


if __name__ == "__main__":
    main()
