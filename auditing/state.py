"""The embedded ledger's world state beside what its blocks add up to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from fabric_protos.common import common_pb2

from auditing.blocks import Walk
from auditing.report import Finding
from ledger.embedded.store import Store

_PAGE = 16
_LAST = "\U0010ffff"


def audit_file(path: Path, whose: str, chaincode: str) -> Iterator[Finding | int]:
    """Verify the blocks of an embedded ledger's file and its world state, in one view of the file; after each block its number."""
    with closing(Store(path, read_only=True)) as store, closing(Walk(whose)) as walk, store.snapshot():
        height = store.height()
        for start in range(0, height, _PAGE):
            for content in store.blocks(start, min(_PAGE, height - start)):
                yield from walk.add(common_pb2.Block.FromString(content))
                yield walk.count
        yield from _compare(store, walk, chaincode)


def _compare(store: Store, walk: Walk, chaincode: str) -> Iterator[Finding]:
    """Both in the order of their keys, so that neither has to be kept."""
    kept, made = store.range("", _LAST), walk.state(chaincode)
    has, should = next(kept, None), next(made, None)
    while has is not None or should is not None:
        if should is None or (has is not None and has[0] < should[0]):
            assert has is not None
            yield _finding(walk, has[0], "it is there, and no block put it there")
            has = next(kept, None)
        elif has is None or should[0] < has[0]:
            yield _finding(walk, should[0], "it is not there, and no block took it away")
            should = next(made, None)
        else:
            if has[1].value != should[1]:
                yield _finding(
                    walk, has[0], f"its value is not the one that block {has[1].block} is said to have written"
                )
            has, should = next(kept, None), next(made, None)


def _finding(walk: Walk, key: str, detail: str) -> Finding:
    return Finding("state", walk.whose, " ".join(key.strip("\x00").split("\x00")), detail)
