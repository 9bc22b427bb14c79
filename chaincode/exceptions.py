"""Exceptions: what does not add up, opened by the event that shows it and closed by the one that explains it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from chaincode import keys
from chaincode.context import Context
from chaincode.facts import Fact


class Fault(NamedTuple):
    """What does not add up, as an exception says it; ``event`` (hash URI) shows it, at ``time``, by ``msp``."""

    detail: str
    parties: tuple[str, ...]
    event: str
    time: str
    msp: str
    handoff: str | None = None


def exception_id(kind: str, subject: str) -> str:
    """One exception for each kind and subject: seen twice it is still one, and it can open again."""
    return hashlib.sha256(f"{kind}\n{subject}".encode()).hexdigest()[:32]


def open_exception(
    context: Context,
    fact: Fact,
    kind: str,
    subject: str,
    detail: str,
    *,
    item: str,
    handoff: str | None = None,
    parties: Iterable[str | None] = (),
    known: bool = False,
) -> None:
    """Open an exception; ``known``: it is open already, and only its text may have changed."""
    identifier = exception_id(kind, subject)
    key = keys.exception(identifier)
    record = context.state.get(key) if known else None
    if record is not None:
        if record["detail"] != detail:
            context.state.put(key, {**record, "detail": detail})
        return
    context.state.put(
        key,
        {
            "id": identifier,
            "kind": kind,
            "status": "open",
            "handoff": handoff,
            "item": item,
            "event": fact.hash,
            "closedBy": None,
            "parties": sorted({party for party in parties if party is not None}),
            "detail": detail,
            "openedAt": fact.time,
            "closedAt": None,
            "msp": context.msp,
        },
    )


def open_fault(context: Context, kind: str, subject: str, fault: Fault, *, item: str | None) -> None:
    """Open an exception about what a fold found, or bring its words up to date. It is about the statement that shows it, whenever
    that came."""
    key = keys.exception(exception_id(kind, subject))
    context.state.put(
        key,
        {
            "v": 2,
            "id": exception_id(kind, subject),
            "kind": kind,
            "status": "open",
            "handoff": fault.handoff,
            "item": item,
            "event": fault.event,
            "closedBy": None,
            "parties": sorted(set(fault.parties)),
            "detail": fault.detail,
            "openedAt": fault.time,
            "closedAt": None,
            "msp": fault.msp,
        },
    )


def close_exception(context: Context, fact: Fact, kind: str, subject: str) -> None:
    """Close an exception if it is open."""
    close_by(context, kind, subject, fact.hash, fact.time)


def close_by(
    context: Context, kind: str, subject: str, event: str | None, time: str, explained: str | None = None
) -> bool:
    """Close an exception if it is open, by an event (its hash) or, with its words, by a person. Returns whether it was."""
    key = keys.exception(exception_id(kind, subject))
    known = context.state.get(key)
    if known is None or known["status"] != "open":
        return False
    detail = known["detail"] if explained is None else f"{known['detail']}. {explained}"
    context.state.put(key, {**known, "status": "closed", "closedBy": event, "closedAt": time, "detail": detail})
    return True
