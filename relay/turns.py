"""Whose turn it is within a lane.

A lane has two queues, each in the order of arrival: scans (few events, all or nothing) and everything else. They take
turns, a batch each, so that a scan waits for one batch of a bulk upload and not for all of it, and a stream of scans never
holds up the upload. What the ledger makes of events does not depend on the order in which they arrive, with one exception:
some are refused when what they build on is not there yet. So a scan that went ahead and was refused is not finished: it
goes back to its own place, behind all that came before it, and only the refusal there counts (`Batches.committed`).

Whatever is no capture (registrations and the like) changes what others may do: nobody overtakes it, and it overtakes nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instance.database import Connection
from relay.jobs import CAPTURE
from relay.tally import Lane

_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Turn:
    """Jobs that may travel together: of one queue, and older than ``before``."""

    scan: bool
    before: int


class Turns:
    """Remembers, lane by lane, which queue was served last."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._scans_had_it: set[Lane] = set()

    def next(self, lane: Lane) -> Turn | None:
        """The turn of the lane, None when nothing waits."""
        scan, other = self._first(lane, scan=True), self._first(lane, scan=False)
        alone = self._first_alone(lane)
        may_scan = scan < alone
        may_other = other < alone or (other == alone != _NEVER and not may_scan)
        if not (may_scan or may_other):
            return None
        scans = may_scan and not (may_other and lane in self._scans_had_it)
        (self._scans_had_it.add if scans else self._scans_had_it.discard)(lane)
        return Turn(scans, alone if other != alone or scans else alone + 1)

    def _first(self, lane: Lane, *, scan: bool) -> int:
        row = self._connection.execute(
            "SELECT seq FROM job WHERE state = 'pending' AND msp = ? AND identity = ? AND scan = ? ORDER BY seq LIMIT 1",
            (lane.msp_id, lane.identity, scan),
        ).fetchone()
        return _NEVER if row is None else int(row[0])

    def _first_alone(self, lane: Lane) -> int:
        row = self._connection.execute(
            "SELECT seq FROM job WHERE state = 'pending' AND function <> 'capture' AND msp = ? AND identity = ?"
            " ORDER BY seq LIMIT 1",
            (lane.msp_id, lane.identity),
        ).fetchone()
        return _NEVER if row is None else int(row[0])


def fitting(rows: list[Any], max_events: int, max_bytes: int) -> list[int]:
    """As many jobs from the front as one transaction should carry; at least one, however large."""
    chosen: list[int] = []
    events = size = 0
    for row in rows:
        events += row["events"]
        size += row["size"]
        alike = row["function"] == CAPTURE == rows[0]["function"]
        if chosen and (not alike or events > max_events or size > max_bytes):
            break
        chosen.append(row["seq"])
    return chosen
