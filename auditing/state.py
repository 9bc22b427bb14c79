"""The embedded ledger's world state beside what its blocks add up to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fabric_protos.common import common_pb2

from auditing.blocks import Walk, brief
from auditing.report import Finding
from ledger.embedded.store import Store

_PAGE = 16
_LAST = "\U0010ffff"


def audit_file(path: Path, whose: str, chaincode: str) -> Iterator[Finding | int]:
    """Verify the blocks of an embedded ledger's file and its world state, in one view of the file; after each block its number."""
    store = Store(path, read_only=True)
    try:
        with store.snapshot():
            walk, height = Walk(whose, chaincode), store.height()
            for start in range(0, height, _PAGE):
                for content in store.blocks(start, min(_PAGE, height - start)):
                    yield from walk.add(common_pb2.Block.FromString(content))
                    yield walk.count
            yield from _compare(store, walk)
    finally:
        store.close()


def _compare(store: Store, walk: Walk) -> Iterator[Finding]:
    left = walk.state
    for key, found in store.range("", _LAST):
        should = left.pop(key, None)
        if should is None:
            yield _finding(walk, key, "it is there, and no block put it there")
        elif should != brief(found.value):
            yield _finding(walk, key, f"its value is not the one that block {found.block} is said to have written")
    for key in left:
        yield _finding(walk, key, "it is not there, and no block took it away")


def _finding(walk: Walk, key: str, detail: str) -> Finding:
    return Finding("state", walk.whose, " ".join(key.strip("\x00").split("\x00")), detail)
