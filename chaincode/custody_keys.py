"""The keys of everything that records the custody of a lot. ``goods.timeline`` knows a thing's."""

from __future__ import annotations

from collections.abc import Iterator

from chaincode import handoffs, keys
from chaincode.context import Context
from chaincode.state import Record


def of_lot(context: Context, uri: str, record: Record) -> list[str]:
    """A lot's record and the older parts of its history, its balances, the claims about it and its handoffs."""
    pages = [keys.page("LT", uri, number) for number in range(record.get("pages", 0))]
    balances = [keys.balance(*attributes) for attributes, _ in context.state.under("LB", uri)]
    unclaimed = [keys.unclaimed(*attributes) for attributes, _ in context.state.under("LU", uri)]
    consignees = [attributes[1] for attributes, _ in context.state.under("HX", uri)]
    context.state.prefetch(keys.claims(uri, consignee) for consignee in consignees)
    lanes = [key for consignee in consignees for key in _lane(context, uri, consignee)]
    return [keys.lot(uri), *pages, *balances, *unclaimed, *lanes]


def _lane(context: Context, item: str, consignee: str) -> Iterator[str]:
    """The keys of the claims of a lot to one consignee, and of its handoffs."""
    key = keys.claims(item, consignee)
    claims = context.state.get(key)
    if claims is not None:
        yield key
        name = handoffs.lane_name(item, consignee)
        for number in range(claims["written"]):
            yield keys.handoff(f"{name}-{number}")
