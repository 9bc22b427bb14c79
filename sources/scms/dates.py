"""When things happened: what the record says, and what is estimated where it is silent.

The record has days, not times of day, and no ship date. The day a line was released is estimated from what
was known *before* it was delivered, so that the estimate can't betray whether the delivery was late:

    released = scheduled day - usual days on the way for its shipment mode
               but not before the order went to the vendor
               and not after the day it was delivered (an early delivery must have left before it came)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sources.scms.lines import Line

# Round figures for door to door, not measured on this record: it can't tell.
DAYS_ON_THE_WAY = {"Air": 7, "Air Charter": 7, "Truck": 14, "Ocean": 42}
DAYS_WHEN_MODE_UNKNOWN = 14

# The order of the steps within one day; the record knows the day only.
_COMMISSIONED = time(6, tzinfo=UTC)
_RELEASED = time(8, tzinfo=UTC)
_DELIVERED = time(12, tzinfo=UTC)
_END_OF_DAY = time(23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Times:
    """Moments of one line; ``delivered`` is None while it is on the way."""

    commissioned: datetime
    released: datetime
    promised: datetime
    delivered: datetime | None
    known_delivered: date | None
    """The day somebody wrote the delivery down; before it the handoff was open to every reader."""


def times(line: Line) -> Times:
    """The moments of a line."""
    released = release_day(line)
    known = None
    if line.delivered is not None:
        known = max(line.delivered, line.recorded or line.delivered)
    return Times(
        commissioned=datetime.combine(released, _COMMISSIONED),
        released=datetime.combine(released, _RELEASED),
        promised=datetime.combine(line.scheduled, _END_OF_DAY),
        delivered=None if line.delivered is None else datetime.combine(line.delivered, _DELIVERED),
        known_delivered=known,
    )


def release_day(line: Line) -> date:
    """The estimated day on which the line left; see the module's words for the rule."""
    day = line.scheduled - timedelta(days=DAYS_ON_THE_WAY.get(line.mode or "", DAYS_WHEN_MODE_UNKNOWN))
    if line.ordered is not None:
        day = max(day, line.ordered)
    return day if line.delivered is None else min(day, line.delivered)
