"""Which events a block has put on the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from epcis.prehash import digest_uri
from fabric.words.blocks import decode_block


def captured_events(block: Any, chaincode: str) -> Iterator[str]:
    """The hash of every event that a valid transaction of the chaincode wrote, as often as it was written."""
    for transaction in decode_block(block).transactions:
        for write in transaction.writes if transaction.valid else ():
            if write.namespace == chaincode and write.key.startswith("\x00EV\x00") and write.value is not None:
                yield digest_uri(write.key[1:-1].split("\x00")[1])
