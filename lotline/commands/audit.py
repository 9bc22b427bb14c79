"""`lotline audit`: whether somebody changed blocks, world state or tables behind the ledger's back."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict

import typer

from auditing import Report, audit, write_report
from instance.creation import load_settings
from lotline.errors import NEGATIVE
from lotline.output import Session, session

app = typer.Typer()


@app.command("audit")
def audit_command(context: typer.Context) -> None:
    """Verify every block, and compare world state and tables with what the blocks make of them; say what was changed.

    Works beside a running instance, whose watcher does the same every few minutes. Exit code 1 when anything was found.
    """
    here = session(context)
    settings = load_settings(here.home)
    with here.progress() as bar:
        task = bar.add_task("blocks", total=None)
        report = asyncio.run(audit(settings, lambda what, done: bar.update(task, description=what, completed=done)))
    with contextlib.suppress(OSError):  # an auditor's copy may be read-only
        write_report(settings.run_dir, report)
    here.answer(asdict(report))
    if not here.json:
        _show(here, report)
    if report.count:
        raise typer.Exit(NEGATIVE)


def _show(here: Session, report: Report) -> None:
    seconds = report.ended - report.began
    here.text(f"{report.blocks:,} blocks verified, {report.rows:,} rows compared in {seconds:.1f} s")
    for words in report.unread:
        here.text(f"could not be looked at: {words}")
    if not report.count:
        here.text("nothing was changed" if not report.unread else "nothing was changed of what could be looked at")
        return
    rows = [(one.where, one.whose, one.what, one.detail) for one in report.findings]
    here.table(f"changed behind the ledger's back ({report.count:,})", ["where", "whose copy", "what", "how"], rows)
    here.text("Blocks: compare with another organisation's peer and restore from there. Tables: `lotline rebuild`.")
