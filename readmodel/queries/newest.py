"""Lists with the newest first: by the date of what they tell of, not by when it reached the ledger.

What is told last may have happened long ago. Rows of one list may have their date in different columns (a
handoff that nobody released has only the date of its acceptance), so each such set of rows is a branch with an
index of its own; a page is merged from the heads of the branches and costs a page.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, or_

from readmodel.bulk import LONG_AGO
from readmodel.columns import from_micros, to_micros
from readmodel.queries.paging import Query, decode, encode

_UNDATED = LONG_AGO
"""What has no date comes after everything that has one."""


class Branch(NamedTuple):
    """The rows dated by one column, under a condition that keeps them out of the other branches; None: undated."""

    moment: Any
    only: ColumnElement[bool]


def newest(
    connection: Connection, query: Query, branches: list[Branch], identity: Any, limit: int, token: str | None
) -> list[Any]:
    """The first rows after the token, by date and then id, the highest first."""
    after = None if token is None else decode(token, 2)
    found: list[tuple[tuple[int, int], Any]] = []
    for branch in branches:
        wanted = _after(query.where(branch.only), branch, identity, after)
        if wanted is None:
            continue
        order = [identity.desc()] if branch.moment is None else [branch.moment.desc(), identity.desc()]
        for row in connection.execute(wanted.order_by(*order).limit(limit)):
            moment = None if branch.moment is None else getattr(row, branch.moment.key)
            found.append(((_micros(moment), row.id), row))
    found.sort(key=lambda one: one[0], reverse=True)
    return [row for _, row in found[:limit]]


def newest_token(moment: datetime | None, identity: int) -> str:
    """The token of the page after a row with this date and id."""
    return encode(_micros(moment), identity)


def _after(query: Query, branch: Branch, identity: Any, after: tuple[int, ...] | None) -> Query | None:
    if after is None:
        return query
    moment, last = after
    if moment == _UNDATED:
        return query.where(identity < last) if branch.moment is None else None
    if branch.moment is None:
        return query
    try:
        reached = from_micros(moment)
    except OverflowError:
        return query if moment > 0 else None
    # "reached" says nothing new, but it is what an index on the date can use.
    return query.where(
        and_(branch.moment <= reached, or_(branch.moment < reached, identity < last)),
    )


def _micros(moment: datetime | None) -> int:
    return _UNDATED if moment is None else to_micros(moment)
