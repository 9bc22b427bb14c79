"""Where a reader of events has come to, kept across crashes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from fabric.gateway.chaincode_events import ChaincodeEvent


class Checkpoint(Protocol):
    """A place in the chain: the block to read next, and the last transaction already seen in it."""

    @property
    def block_number(self) -> int | None: ...

    @property
    def transaction_id(self) -> str: ...


class InMemoryCheckpointer:
    """Remembers as long as the process lives."""

    def __init__(self) -> None:
        self._block: int | None = None
        self._transaction = ""

    @property
    def block_number(self) -> int | None:
        """The block to begin with; None before anything was seen."""
        return self._block

    @property
    def transaction_id(self) -> str:
        """The last transaction seen in that block; empty if none."""
        return self._transaction

    def checkpoint_block(self, number: int) -> None:
        """All of a block was handled: go on with the next."""
        self._save(number + 1, "")

    def checkpoint_transaction(self, number: int, transaction_id: str) -> None:
        """A transaction of a block was handled: go on after it."""
        self._save(number, transaction_id)

    def checkpoint_chaincode_event(self, event: ChaincodeEvent) -> None:
        """An event was handled: go on with the next."""
        self._save(event.block_number, event.transaction_id)

    def _save(self, block: int, transaction_id: str) -> None:
        self._block, self._transaction = block, transaction_id


class FileCheckpointer(InMemoryCheckpointer):
    """Remembers in a file, replaced as a whole so that a crash leaves the old or the new one.

    Raises ValueError for a file that holds something else: going on from nowhere would lose events or repeat them all.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists() and path.stat().st_size:
            try:
                state = json.loads(path.read_text())
                super()._save(int(state["blockNumber"]), str(state.get("transactionId", "")))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise ValueError(f"{path} is no checkpoint: {error}") from error

    def _save(self, block: int, transaction_id: str) -> None:
        temporary = self._path.with_suffix(self._path.suffix + ".new")
        with temporary.open("w") as file:
            json.dump({"blockNumber": block, "transactionId": transaction_id}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        super()._save(block, transaction_id)
