"""A row of the inbox as EPCIS's job resource."""

from __future__ import annotations

from typing import Any

from api.models import JobDocument, JobSummary, Verdict
from api.paging import token_of
from api.problems import ErrorItem, ProblemDocument, describe
from relay.jobs import Failure, Job

MAX_ERRORS = 100


def summarise(job: Job) -> JobSummary:
    """The job without its verdicts."""
    return JobSummary(**_common(job))


def describe_job(job: Job, *, first: int, count: int) -> JobDocument:
    """The job with ``count`` verdicts from number ``first`` on."""
    verdicts = job.verdicts or []
    end = first + count
    return JobDocument(
        **_common(job),
        errors=job_errors(job),
        verdicts=[Verdict.model_validate(verdict) for verdict in verdicts[first:end]],
        next=token_of(end) if end < len(verdicts) else None,
    )


def job_errors(job: Job) -> list[ProblemDocument]:
    """One problem per rejected event; events that only fell with another one (rollback) come last.

    Those refused on arrival are known from the start, whatever becomes of the others.
    """
    instance = f"/capture/{job.id}"
    if job.verdicts is None:
        refused = [_refused(fault, instance) for fault in job.refused[:MAX_ERRORS]]
        return refused if job.failure is None else [_failure(job.failure, instance), *refused][:MAX_ERRORS]
    rejected = [(n, verdict) for n, verdict in enumerate(job.verdicts) if verdict["verdict"] == "rejected"]
    rejected.sort(key=lambda pair: (pair[1].get("code") == "rolled_back", pair[0]))
    return [_problem(n, verdict, instance) for n, verdict in rejected[:MAX_ERRORS]]


def _failure(failure: Failure, instance: str) -> ProblemDocument:
    item = ErrorItem(index=None, field="", code=failure.code, message=failure.message)
    return describe(failure.status, failure.message, instance, errors=[item])


def _refused(fault: dict[str, Any], instance: str) -> ProblemDocument:
    verdict = {"code": fault["code"], "detail": fault["message"], "field": fault["field"]}
    return _problem(fault["index"], verdict, instance)


def _problem(index: int, verdict: dict[str, Any], instance: str) -> ProblemDocument:
    message = verdict.get("detail") or verdict.get("code") or "rejected"
    item = ErrorItem(
        index=index, field=verdict.get("field") or "", code=verdict.get("code") or "rejected", message=message
    )
    where = f", {item.field}" if item.field else ""
    return describe(422, f"event {index}{where}: {message}", instance, errors=[item])


def _common(job: Job) -> dict[str, Any]:
    return {
        "capture_id": job.id,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "running": job.running,
        "success": job.success,
        "capture_error_behaviour": job.on_error,
        "events": job.events,
        "accepted": job.accepted,
        "duplicate": job.duplicate,
        "rejected": job.rejected,
        "tx_id": job.tx_id,
        "block": job.block,
    }
