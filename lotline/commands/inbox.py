"""`lotline inbox`: what was accepted and is not on the ledger: seen, sent again, exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from instance.creation import load_settings
from instance.database import Connection
from instance.settings import CONFIG_FILE, Settings
from instance.tokens import TokenStore, open_tokens
from lotline import services
from lotline.errors import CommandError, UsageError
from lotline.output import session
from lotline.supervisor import is_up
from relay import failed
from relay.failed import Kind
from relay.jobs import Job, find_job
from relay.moving import copy_inbox
from relay.schema import open_inbox
from relay.tally import depth

app = typer.Typer(
    help="What was accepted and is not on the ledger: failed and waiting jobs, seen, sent again, exported.",
    no_args_is_help=True,
)

_EVERYTHING = 2**31
SIGNATURE = "lotline:signature"
JobIds = Annotated[list[str] | None, typer.Argument(metavar="[JOB]…", help="As `inbox list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="Every failed job.")]


@app.command("list")
def list_(
    context: typer.Context,
    waiting: Annotated[bool, typer.Option("--waiting", help="What waits for the ledger, not what failed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the oldest first.")] = 50,
) -> None:
    """List failed jobs with the reason, or those that wait."""
    here = session(context)
    kind: Kind = "waiting" if waiting else "failed"
    with _inbox(load_settings(here.home)) as inbox:
        jobs = failed.kept_jobs(inbox, kind, limit)
        alarmed = {job.id for job in failed.kept_jobs(inbox, kind, limit, alarmed=True)} if kind == "failed" else set()
        counts = depth(inbox)
    here.answer(
        {
            "waiting": counts.jobs,
            "failed": counts.failed,
            "alarms": counts.alarms,
            "jobs": [_as_json(job, alarm=job.id in alarmed) for job in jobs],
        }
    )
    here.table(
        "",
        ["job", "organisation", "identity", "function", "#events", "came", "state", "alarm", "reason"],
        [_row(job, alarm=job.id in alarmed) for job in jobs],
    )
    here.text(f"{counts.failed} failed ({counts.alarms} not acknowledged), {counts.jobs} waiting")


@app.command()
def retry(context: typer.Context, job_ids: JobIds = None, every: All = False) -> None:
    """Send failed jobs again. What of them is on the ledger after all counts as duplicate."""
    here = session(context)
    with _inbox(load_settings(here.home)) as inbox:
        done = failed.retry(inbox, _chosen(inbox, job_ids, every))
    here.answer({"retried": done})
    here.text(f"{len(done)} jobs go to the ledger again: with the next worker, or at once if the instance is up")


@app.command()
def acknowledge(context: typer.Context, job_ids: JobIds = None, every: All = False) -> None:
    """End the alarm that failed jobs raise in health. They stay, and can still be retried and exported."""
    here = session(context)
    with _inbox(load_settings(here.home)) as inbox:
        done = failed.acknowledge(inbox, _chosen(inbox, job_ids, every))
    here.answer({"acknowledged": done})
    here.text(f"{len(done)} jobs acknowledged")


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="Where to write; must not exist yet.")],
    job_ids: JobIds = None,
    organisation: Annotated[
        str | None, typer.Option("-o", help="Whose jobs (default: the first organisation).")
    ] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="What waits for the ledger, not what failed.")] = False,
) -> None:
    """Write the events of failed (or waiting) jobs to a file, as one EPCIS document that `lotline capture` reads."""
    here = session(context)
    settings = load_settings(here.home)
    msp_id = settings.msp_id(organisation)
    with _inbox(settings) as inbox:
        jobs = _to_export(inbox, job_ids or [], "waiting" if waiting else "failed", msp_id)
        events = [event for job in jobs for event in _events(failed.payload_of(inbox, job))]
    if not events:
        raise CommandError(f"there is nothing of {msp_id} to export", hint="`lotline inbox list` shows what there is.")
    _write(file, document(events))
    here.answer({"file": str(file), "jobs": [job.id for job in jobs], "events": len(events)})
    here.text(f"{len(events)} events of {len(jobs)} jobs written to {file}")


@app.command()
def move(context: typer.Context) -> None:
    """Bring inbox and tokens of this home into the database, once `inbox = "database"` is in config.toml.

    The files stay beside it, renamed. It can be done again after a failure: nothing is brought twice.
    """
    here = session(context)
    settings = load_settings(here.home)
    if not settings.shared:
        hint = f'Put `inbox = "database"` into {settings.home / CONFIG_FILE}, above its first [section].'
        raise UsageError("this instance keeps its inbox in a file", hint=hint)
    if is_up(settings.run_dir) or services.beating(settings):
        raise UsageError("this instance is up", hint="Stop it first: `lotline down`.")
    jobs = tokens = 0
    if settings.inbox_file.exists():
        with closing(open_inbox(settings.inbox_file)) as source, _inbox(settings) as target:
            jobs = copy_inbox(source, target)
        _put_away(settings.inbox_file)
    if settings.tokens_file.exists():
        with closing(TokenStore(settings.tokens_file)) as kept, closing(open_tokens(settings.tokens_place)) as shared:
            tokens = kept.copy_to(shared)
        _put_away(settings.tokens_file)
    here.answer({"jobs": jobs, "tokens": tokens})
    here.text(f"{jobs} jobs and {tokens} tokens are in the database now")


def _put_away(file: Path) -> None:
    target = file.with_name(f"{file.stem}.moved-{datetime.now(UTC):%Y%m%dT%H%M%S}.db")
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    file.rename(target)


def document(events: Sequence[bytes]) -> dict[str, Any]:
    """The EPCIS document of events in stored form, with their devices' signatures. What cannot be read (it may be why the
    job failed) is in it as stored."""
    from epcis import LOTLINE_NAMESPACE, InvalidDocument, parse_event, render_document

    read, raw = [], []
    for event in events:
        try:
            read.append(parse_event(event))
        except InvalidDocument:
            raw.append(orjson.loads(event))
    found = render_document(read, datetime.now(UTC))
    listed = found["epcisBody"]["eventList"]
    for entry, one in zip(listed, read, strict=True):
        if one.signature is not None:
            entry[SIGNATURE] = one.signature
    if any(SIGNATURE in entry for entry in listed):
        found["@context"].append({"lotline": LOTLINE_NAMESPACE})
    listed += raw
    return found


def _events(payload: bytes | None) -> list[bytes]:
    return [] if payload is None else [orjson.dumps(event) for event in orjson.loads(payload)]


def _to_export(inbox: Connection, job_ids: Sequence[str], kind: Kind, msp_id: str) -> list[Job]:
    jobs = [_known(inbox, job_id) for job_id in job_ids] or failed.kept_jobs(inbox, kind, _EVERYTHING)
    strangers = [job for job in jobs if job.msp_id != msp_id]
    if job_ids and strangers:
        raise UsageError(
            f"job {strangers[0].id} is of {strangers[0].msp_id}, not {msp_id}: a document is of one organisation",
            hint="Name the organisation with -o.",
        )
    return [job for job in jobs if job.msp_id == msp_id]


def _chosen(inbox: Connection, job_ids: Sequence[str] | None, every: bool) -> list[str]:
    if every == bool(job_ids):
        raise UsageError("name jobs, or give --all", hint="`lotline inbox list` shows them.")
    if every:
        return [job.id for job in failed.kept_jobs(inbox, "failed", _EVERYTHING)]
    jobs = [_known(inbox, job_id) for job_id in job_ids or ()]
    sound = [job.id for job in jobs if job.state != "failed"]
    if sound:
        raise CommandError(f"job {sound[0]} has not failed", hint="`lotline inbox list` shows those that have.")
    return [job.id for job in jobs]


def _known(inbox: Connection, job_id: str) -> Job:
    job = find_job(inbox, job_id)
    if job is None:
        raise CommandError(f"there is no job {job_id}", hint="`lotline inbox list` shows them.")
    return job


def _write(file: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, and over nothing that is there."""
    if file.exists():
        raise UsageError(f"{file} is there already", hint="Name another file.")
    unfinished = file.with_name(f".{file.name}.new")
    try:
        unfinished.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
        unfinished.replace(file)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _inbox(settings: Settings) -> Iterator[Connection]:
    with closing(open_inbox(settings.inbox_place)) as connection:
        yield connection


def _row(job: Job, *, alarm: bool) -> list[Any]:
    reason = f"{job.failure.status} {job.failure.message}" if job.failure else ""
    return [
        job.id, job.msp_id, job.identity, job.function, job.events, job.created_at, job.state, "yes" if alarm else "", reason,
    ]  # fmt: skip


def _as_json(job: Job, *, alarm: bool) -> dict[str, Any]:
    return {
        "id": job.id,
        "organisation": job.msp_id,
        "identity": job.identity,
        "function": job.function,
        "events": job.events,
        "createdAt": job.created_at,
        "state": job.state,
        "alarm": alarm,
        "failure": None
        if job.failure is None
        else {"status": job.failure.status, "code": job.failure.code, "message": job.failure.message},
    }
