"""Find the records that a block cannot be applied with, so that it can be applied without them.

Every record is read before anything is made of it, so none should ever be found. But no ledger may stop a projector, and what
nobody thought of is no exception.
"""

from __future__ import annotations

from collections.abc import Callable

from fabric.words.blocks import DecodedBlock

Place = tuple[int, int, int]
"""Block, transaction and write."""


def to_blame(block: DecodedBlock, fails_without: Callable[[set[Place]], bool]) -> set[Place]:
    """The writes without which the block can be applied; the same for the same block and tables.

    ``fails_without`` tries the block without some of its writes. Raises LookupError where no write is to blame.
    """
    places = [(block.number, tx.index, n) for tx in block.transactions if tx.valid for n in range(len(tx.writes))]
    blamed: set[Place] = set()
    while fails_without(blamed):
        if fails_without(set(places)):
            raise LookupError("no single record is to blame")
        low, high = (
            0,
            len(places),
        )  # it can be applied with the first ``low`` writes, and cannot with the first ``high``
        while high - low > 1:
            middle = (low + high) // 2
            if fails_without(blamed | set(places[middle:])):
                high = middle
            else:
                low = middle
        blamed.add(places[high - 1])
    return blamed
