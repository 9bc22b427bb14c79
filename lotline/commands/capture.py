"""`lotline capture`: EPCIS documents onto the ledger."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from epcis import Problem
from instance.creation import load_settings
from instance.settings import Settings
from lotline.delivery import Delivery, delivering
from lotline.documents import describe, find_documents, read_document
from lotline.errors import NEGATIVE, UsageError
from lotline.output import Session, session
from relay.intake import Intake, read
from relay.jobs import Job, OnError

app = typer.Typer()
# Documents under way at once: enough to fill a transaction, few enough to keep the list of verdicts short.
_WINDOW = 64


@dataclass
class FileResult:
    """What became of one document."""

    file: str
    events: int = 0
    job: Job | None = None
    problems: list[dict[str, Any]] = field(default_factory=list)
    why: str = ""

    @property
    def counts(self) -> tuple[int, int, int]:
        job = self.job
        return (0, 0, 0) if job is None else (job.accepted or 0, job.duplicate or 0, job.rejected or 0)

    @property
    def ok(self) -> bool:
        return self.job is not None and self.job.state != "failed" and not self.job.rejected

    def as_dict(self) -> dict[str, Any]:
        accepted, duplicate, rejected = self.counts
        job = self.job
        return {
            "file": self.file, "events": self.events, "ok": self.ok,
            "accepted": accepted, "duplicate": duplicate, "rejected": rejected,
            "captureID": job and job.id, "txId": job and job.tx_id, "block": job and job.block,
            "verdicts": (job and job.verdicts) or [], "problems": self.problems, "why": self.why,
        }  # fmt: skip


@app.command()
def capture(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="EPCIS JSON documents or folders of them; `-` reads stdin.")],
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", "-o", metavar="MSP", help="Who reports (default: the first)."),
    ] = None,
    identity: Annotated[str, typer.Option(help="The organisation's identity that reports.")] = "scanner",
    on_error: Annotated[
        OnError,
        typer.Option(help="When an event is invalid or rejected: take nothing of its document, or the rest of it."),
    ] = "rollback",
) -> None:
    """Validate EPCIS documents and put their events on the ledger.

    Capturing an event twice is capturing it once. Exit code 1 when anything was rejected.
    """
    here = session(context)
    settings = load_settings(here.home)
    msp_id = settings.msp_id(organisation)
    paths = list(find_documents(files))
    results = asyncio.run(_capture(here, settings, paths, (msp_id, identity, on_error)))
    _report(here, results)
    if not all(result.ok for result in results):
        raise typer.Exit(NEGATIVE)


async def _capture(
    here: Session, settings: Settings, paths: list[Path], speaker: tuple[str, str, OnError]
) -> list[FileResult]:
    results = [FileResult(str(path)) for path in paths]
    async with delivering(settings) as delivery:
        with here.progress() as bars:
            task = bars.add_task("capturing documents", total=len(results))
            for start in range(0, len(results), _WINDOW):
                window = results[start : start + _WINDOW]
                jobs = [await _hand_over(delivery, result, speaker, settings.http.body_limit) for result in window]
                for result, job_id in zip(window, jobs, strict=True):
                    if job_id is not None:
                        (result.job,) = await delivery.visible([job_id])
                        result.why = _reason(result.job)
                    bars.advance(task)
    return results


async def _hand_over(
    delivery: Delivery, result: FileResult, speaker: tuple[str, str, OnError], most: int
) -> str | None:
    """The job of a valid document; None when there is nothing valid in it, which the result then says."""
    msp_id, identity, on_error = speaker
    reading = read(_bytes(result, most), on_error)
    if not isinstance(reading, Intake):
        _invalid(result, reading)
        return None
    if not reading.events and not reading.master_data:
        result.why = "the document has no events"
        return None
    result.events = reading.events
    result.problems = [asdict(refusal) for refusal in reading.refused]
    return await delivery.capture_document(msp_id, reading, identity=identity, on_error=on_error)


def _bytes(result: FileResult, most: int) -> bytes:
    try:
        return read_document(Path(result.file), most)
    except UsageError as error:  # XML or a giant among the documents of a folder: say so, go on with the others
        result.why = f"{error.message}. {error.hint}"
        return b""


def _invalid(result: FileResult, problems: list[Problem]) -> None:
    result.why = result.why or describe(problems[:1]).strip()
    result.problems = [{"index": p.index, "field": p.field, "code": p.code, "message": p.message} for p in problems]


def _reason(job: Job) -> str:
    """The first reason of a rejection."""
    if job.failure is not None:
        return job.failure.message
    for index, verdict in enumerate(job.verdicts or []):
        if verdict["verdict"] == "rejected" and verdict.get("code") != "rolled_back":
            return f"event {index}: {verdict.get('code', '')}: {verdict.get('detail', '')}"
    return ""


def _report(here: Session, results: list[FileResult]) -> None:
    captured = sum(result.ok for result in results)
    totals = [sum(column) for column in zip(*(result.counts for result in results), strict=True)]
    here.answer(
        {
            "documents": [result.as_dict() for result in results],
            "captured": captured,
            "refused": len(results) - captured,
            "accepted": totals[0],
            "duplicate": totals[1],
            "rejected": totals[2],
        }
    )
    here.table(
        "",
        ["document", "#events", "#accepted", "#duplicate", "#rejected", "why"],
        [(result.file, result.events, *result.counts, result.why) for result in results],
    )
    here.text(f"{captured} of {len(results)} documents captured, {totals[0]} events accepted")
