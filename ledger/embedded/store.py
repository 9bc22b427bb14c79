"""The embedded ledger's one file: blocks, an index of transactions, and the world state that the blocks add up to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.embedded.simulation import Versioned
from ledger.errors import Unavailable
from ledger.readonly import open_reader
from ledger.schema import bring_up, require_known

_STEPS = (
    """
CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, header_hash BLOB NOT NULL, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tx (id BLOB PRIMARY KEY, block INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (key TEXT UNIQUE NOT NULL, value BLOB NOT NULL, block INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS policy (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
""",
)
"""What leads from one version of the file's tables to the next."""
_CHUNK = 500


@contextmanager
def file_errors() -> Iterator[None]:
    """A file that can't be read or written (locked, full, damaged) is a ledger that isn't there; a commit that failed
    was rolled back."""
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(f"the ledger's file fails: {error}") from error


def _open_writer(path: Path) -> sqlite3.Connection:
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA synchronous=FULL")
    bring_up(writer, _STEPS)
    return writer


class Store:
    """One connection. A writer's commits are durable (``synchronous=FULL``); readers see whole blocks only."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._db = open_reader(path) if read_only else _open_writer(path)
        if read_only:
            require_known(self._db, _STEPS)
        # Each of several readers has a cache of its own, and reads most of what it reads once.
        self._db.execute(f"PRAGMA cache_size={-8192 if read_only else -32768}")

    def height(self) -> int:
        """The number of blocks."""
        (last,) = self._db.execute("SELECT max(number) FROM block").fetchone()
        return 0 if last is None else int(last) + 1

    def block(self, number: int) -> bytes | None:
        """A block's bytes."""
        row = self._db.execute("SELECT content FROM block WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def blocks(self, start: int, limit: int) -> list[bytes]:
        """Consecutive blocks from ``start`` on."""
        rows = self._db.execute("SELECT content FROM block WHERE number >= ? ORDER BY number LIMIT ?", (start, limit))
        return [row[0] for row in rows]

    def header_hash(self, number: int) -> bytes:
        """A block's header hash."""
        row = self._db.execute("SELECT header_hash FROM block WHERE number = ?", (number,)).fetchone()
        return bytes(row[0])

    def transaction_block(self, tx_id: str) -> int | None:
        """The block that holds a transaction."""
        row = self._db.execute("SELECT block FROM tx WHERE id = ?", (bytes.fromhex(tx_id),)).fetchone()
        return None if row is None else int(row[0])

    def meta(self, name: str) -> bytes:
        """A named value; empty if it was never set."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return b"" if row is None else bytes(row[0])

    def get_many(self, keys: Sequence[str]) -> dict[str, Versioned]:
        """Committed values of those keys that have one."""
        found: dict[str, Versioned] = {}
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._db.execute(f"SELECT key, value, block FROM state WHERE key IN ({marks})", chunk)
            found.update((key, Versioned(value, block)) for key, value, block in rows)
        return found

    def range(self, start: str, end: str) -> Iterator[tuple[str, Versioned]]:
        """Keys from start (inclusive) to end (exclusive), in order."""
        rows = self._db.execute(
            "SELECT key, value, block FROM state WHERE key >= ? AND key < ? ORDER BY key", (start, end)
        )
        return ((key, Versioned(value, block)) for key, value, block in rows)

    def policy(self, key: str) -> bytes | None:
        """A key's own endorsement policy."""
        row = self._db.execute("SELECT value FROM policy WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def commit(
        self,
        number: int,
        header_hash: bytes,
        content: bytes,
        tx_id: str | None,
        writes: Mapping[str, bytes | None],
        policies: Mapping[str, bytes],
        commit_hash: bytes,
    ) -> None:
        """A block and everything that follows from it, whole or not at all. An empty policy is none."""
        puts = [(key, value, number) for key, value in writes.items() if value is not None]
        deletes = [(key,) for key, value in writes.items() if value is None]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("INSERT INTO block VALUES (?, ?, ?)", (number, header_hash, content))
            if tx_id is not None:
                self._db.execute("INSERT INTO tx VALUES (?, ?)", (bytes.fromhex(tx_id), number))
            self._db.executemany(
                "INSERT INTO state VALUES (?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value, block = excluded.block",
                puts,
            )
            self._db.executemany("DELETE FROM state WHERE key = ?", deletes)
            self._db.executemany("DELETE FROM policy WHERE key = ?", [*deletes, *((key,) for key in policies)])
            given = [(key, policy) for key, policy in policies.items() if policy]
            self._db.executemany("INSERT INTO policy VALUES (?, ?)", given)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('commit_hash', ?)", (commit_hash,))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # some errors, a full disk among them, have rolled back by themselves
                self._db.execute("ROLLBACK")
            raise

    def data_version(self) -> int:
        """A number that changes whenever another connection, of whatever process, has committed."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads within see one state."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()
