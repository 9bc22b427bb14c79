"""What is on hand: balances of lots, and instances counted where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection

from readmodel.bulk import fetch
from readmodel.identifiers import clean


class Stock(NamedTuple):
    """How much of a product a party has at a place. ``uom`` empty: pieces."""

    product: str
    party: str | None
    place: str | None
    uom: str
    quantity: float


# Counted where packing ends, like flows: a case whose bottles are recorded counts as bottles.
_INSTANCES = """
WITH RECURSIVE standing(id, product_id, holder_id, place_id) AS (
    SELECT t.id, t.product_id, t.holder_id, t.place_id
    FROM {values} JOIN thing t ON t.place_id = v.value
    WHERE t.status = 'active' AND t.kind = 'instance' AND t.parent_id IS NULL
  UNION
    SELECT t.id, t.product_id, s.holder_id, s.place_id
    FROM standing s JOIN thing t ON t.parent_id = s.id WHERE t.status = 'active'
)
SELECT p.uri, h.uri, w.uri, '', count(*) FROM standing s
JOIN thing p ON p.id = s.product_id
LEFT JOIN party h ON h.id = s.holder_id LEFT JOIN place w ON w.id = s.place_id
WHERE NOT EXISTS (SELECT 1 FROM thing c WHERE c.parent_id = s.id)
  AND NOT EXISTS (SELECT 1 FROM packed_quantity q WHERE q.parent_id = s.id)
GROUP BY p.uri, h.uri, w.uri
"""
_BALANCES = """
SELECT p.uri, h.uri, w.uri, coalesce(b.uom, ''), sum(b.amount * 1.0) / 1000000.0
FROM {values} JOIN balance b ON b.place_id = v.value
JOIN thing t ON t.id = b.thing_id JOIN thing p ON p.id = t.product_id
LEFT JOIN party h ON h.id = b.holder_id LEFT JOIN place w ON w.id = b.place_id
GROUP BY p.uri, h.uri, w.uri, coalesce(b.uom, '')
"""


def on_hand(connection: Connection, places: Sequence[str] | None = None) -> list[Stock]:
    """Stock at these places (default: at all), by product, party and unit.

    What is in transit is on nobody's shelf. The cost grows with the number of things standing there.
    """
    if places is None:
        identities = [row[0] for row in connection.exec_driver_sql("SELECT id FROM place ORDER BY id")]
    else:
        sql = "SELECT w.id FROM {values} JOIN place w ON w.uri = v.value"
        identities = [row[0] for row in fetch(connection, sql, [clean(place) for place in places])]
    sums: dict[tuple[str, str | None, str | None, str], float] = {}
    for sql in (_BALANCES, _INSTANCES):
        for product, party, place, uom, quantity in fetch(connection, sql, identities):
            key = (product, party, place, uom)
            sums[key] = sums.get(key, 0.0) + _number(quantity)
    ordered = sorted(sums.items(), key=lambda entry: tuple(part or "" for part in entry[0]))
    return [Stock(*key, quantity) for key, quantity in ordered]


def _number(quantity: int | float | Decimal) -> float:
    return float(quantity)
