"""From the bytes of a request to canonical events: parsing and validation, and where that is done.

A small body is parsed on the event loop, at once. A large one would hold the interpreter for a second, so
it goes
to another process of lower priority, and scanners do not notice it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

import orjson

import epcis
from epcis.problems import MAX_PROBLEMS


@dataclass(frozen=True, slots=True)
class Intake:
    """A valid body: its events as the contract takes them (one JSON list), and their hashes in the same
    order."""

    payload: bytes
    hashes: tuple[str, ...]


Reading = Intake | list[epcis.Problem]


def read(body: bytes) -> Reading:
    """Parse and check a document or a bare event: the events, or every fault found."""
    try:
        document = epcis.parse_document(body)
    except epcis.InvalidDocument as error:
        return error.problems
    problems = _check(document)
    if problems:
        return problems
    return Intake(
        payload=b"[" + b",".join(_for_contract(event) for event in document.events) + b"]",
        hashes=tuple(event.hash for event in document.events),
    )


_EVENT_LISTS = {
    "EPCISDocument": "/epcisBody/eventList/{}",
    "EPCISQueryDocument": "/epcisBody/queryResults/resultsBody/eventList/{}",
    "Event": "",
}


def _check(document: epcis.Document) -> list[epcis.Problem]:
    """What the schema can't say, such as check digits; warnings are not for turning an event away."""
    found: list[epcis.Problem] = []
    for index, event in enumerate(document.events):
        where = _EVENT_LISTS[document.kind].format(index)
        errors = (problem for problem in epcis.check(event, index) if problem.severity == "error")
        found += [replace(problem, field=where + problem.field) for problem in errors]
        if len(found) >= MAX_PROBLEMS:
            break
    return found[:MAX_PROBLEMS]


def _for_contract(event: epcis.Event) -> bytes:
    stored = event.to_stored()
    if event.signature is None:
        return stored
    return stored[:-1] + b',"lotline:signature":' + orjson.dumps(event.signature) + b"}"


class Reader:
    """`read`, here or in the other process, by size."""

    def __init__(self, inline_limit: int) -> None:
        self._inline_limit = inline_limit
        self._pool: ProcessPoolExecutor | None = None

    async def read(self, body: bytes) -> Reading:
        if len(body) <= self._inline_limit:
            return read(body)
        try:
            return await self._elsewhere(body)
        except BrokenProcessPool:  # killed from outside, by the system for memory for example: once more
            self._pool = None
            return await self._elsewhere(body)

    async def warm_up(self) -> None:
        """Start the other process now, so that the first large body needn't wait for it."""
        await self._elsewhere(b"{}")

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    async def _elsewhere(self, body: bytes) -> Reading:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_start)
        return await asyncio.get_running_loop().run_in_executor(self._pool, read, body)


def _start() -> None:
    if hasattr(os, "nice"):
        os.nice(5)
