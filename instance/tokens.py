"""Bearer tokens: who calls, for which organisation, in which role.

A token is 256 random bits; the file holds only its SHA-256, so that reading the file gives nobody access
(a slow hash would add nothing: there is no dictionary of 256-bit numbers). Looking one up costs microseconds:
the answers are kept in memory and dropped as soon as the file changes, so a revocation works at once, in
every process. Tokens in a database (`SharedTokens`) are all kept in memory and read again twice a second.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from instance.database import DATABASE_ERRORS, Connection, connect, data_version, transaction
from instance.postgres import PostgresConnection
from instance.postgres import bring_up as bring_up_database
from instance.settings import ROLES, Role
from ledger.schema import bring_up

PREFIX = "lot_"
_STEPS = (
    """
CREATE TABLE IF NOT EXISTS token (
  id TEXT PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  identity TEXT NOT NULL,
  msp TEXT NOT NULL,
  role TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at TEXT NOT NULL,
  last_used_at TEXT,
  revoked_at TEXT
) STRICT;
""",
    """
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
""",
    """
CREATE TABLE IF NOT EXISTS enrolment (
  digest BLOB PRIMARY KEY,
  msp TEXT NOT NULL,
  admin TEXT NOT NULL,
  identity TEXT NOT NULL,
  party TEXT NOT NULL,
  place TEXT,
  name TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  device TEXT
) STRICT;
""",
)
"""What leads from one version of the file's tables to the next."""
_SHARED_STEPS = tuple(
    step.replace(" STRICT", "").replace("BLOB", "BYTEA") for step in ("".join(_STEPS[:2]), *_STEPS[2:])
)

log = structlog.get_logger("lotline.tokens")


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever a request speaks for."""

    token_id: str
    identity: str
    msp_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What is known of a token: everything but the token."""

    id: str
    identity: str
    msp_id: str
    role: Role
    label: str
    created_at: str
    last_used_at: str | None
    revoked_at: str | None


class TokenStore:
    """The tokens of one instance. Safe to share between threads."""

    # Last-used is for people who look for forgotten tokens: the minute is enough.
    FLUSH_SECONDS = 60.0

    def __init__(self, path: Path) -> None:
        self._connection: Connection = (file := connect(path))
        bring_up(file, _STEPS)
        self._prepare()

    def _prepare(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._cache: dict[bytes, Principal] = {}
        self._used: set[str] = set()
        self._flushed = time.monotonic()

    def create(self, identity: str, role: Role, msp_id: str, label: str = "") -> str:
        """Make a token and return it; it can't be read again afterwards."""
        if role not in ROLES:
            raise ValueError(f"no role {role!r}; there are: {', '.join(ROLES)}")
        token = PREFIX + secrets.token_urlsafe(32)
        row = (secrets.token_hex(6), _digest(token), identity, msp_id, role, label, _now())
        with self._lock, transaction(self._connection):
            self._connection.execute(
                "INSERT INTO token (id, digest, identity, msp, role, label, created_at) VALUES (?,?,?,?,?,?,?)",
                row,
            )
        return token

    def revoke(self, token_id: str) -> bool:
        """Revoke for ever; False when there is no such token or it was revoked before."""
        with self._lock, transaction(self._connection):
            changed = self._connection.execute(
                "UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (_now(), token_id)
            ).rowcount
            self._cache.clear()
        return changed == 1

    def revoke_labelled(self, msp_id: str, label: str) -> int:
        """Revoke all tokens of an organisation that bear a label; returns how many."""
        with self._lock, transaction(self._connection):
            changed = self._connection.execute(
                "UPDATE token SET revoked_at = ? WHERE msp = ? AND label = ? AND revoked_at IS NULL",
                (_now(), msp_id, label),
            ).rowcount
            self._cache.clear()
        return changed

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The store's connection, for what else is kept beside the tokens, in one transaction."""
        with self._lock, transaction(self._connection):
            yield self._connection

    def tokens(self) -> list[TokenInfo]:
        """All tokens, revoked ones too, oldest first."""
        self.flush()
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, identity, msp, role, label, created_at, last_used_at, revoked_at"
                " FROM token ORDER BY created_at, id"
            ).fetchall()
        return [TokenInfo(*row) for row in rows]

    def find(self, token: str) -> Principal | None:
        """The principal of a valid token, None for any other text."""
        digest = _digest(token)
        with self._lock:
            version = self._changes()
            if version != self._version:
                self._cache.clear()
                self._version = version
            principal = self._cache.get(digest) or self._load(digest)
            if principal is not None:
                self._used.add(principal.token_id)
        if time.monotonic() - self._flushed > self.FLUSH_SECONDS:
            self.flush()
        return principal

    def flush(self) -> None:
        """Write the last-used times gathered since the last flush. If the disk is full they wait: nobody's request
        is to fail for them."""
        with self._lock:
            self._flushed = time.monotonic()
            if not self._used:
                return
            rows = [(_now(), token_id) for token_id in self._used]
            try:
                with transaction(self._connection):
                    self._connection.executemany("UPDATE token SET last_used_at = ? WHERE id = ?", rows)
            except DATABASE_ERRORS as error:
                log.warning("when tokens were last used could not be written", error=str(error))
            else:
                self._used.clear()

    def secret(self, name: str) -> bytes:
        """A random secret of this instance under that name, the same ever after."""
        query, values = "SELECT value FROM secret WHERE name = ?", (name,)
        with self._lock:
            row = self._connection.execute(query, values).fetchone()
            if row is None:
                with transaction(self._connection):
                    made = (name, secrets.token_bytes(32))
                    self._connection.execute("INSERT INTO secret VALUES (?, ?) ON CONFLICT DO NOTHING", made)
                    row = self._connection.execute(query, values).fetchone()
        return bytes(row["value"])

    def copy_to(self, other: TokenStore) -> int:
        """Make these tokens and secrets also the other store's; returns how many tokens are new there."""
        count = 0
        for table in ("token", "secret"):
            rows = [tuple(row) for row in self._connection.execute(f"SELECT * FROM {table}").fetchall()]
            with transaction(other._connection):
                for row in rows:
                    marks = ", ".join("?" * len(row))
                    added = other._connection.execute(
                        f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING", row
                    )
                    count += added.rowcount if table == "token" else 0
        return count

    def close(self) -> None:
        self.flush()
        self._connection.close()

    def _changes(self) -> int:
        assert isinstance(self._connection, sqlite3.Connection)
        return data_version(self._connection)

    def _load(self, digest: bytes) -> Principal | None:
        row = self._connection.execute(
            "SELECT id, identity, msp, role FROM token WHERE digest = ? AND revoked_at IS NULL", (digest,)
        ).fetchone()
        if row is None:
            return None
        principal = self._cache[digest] = Principal(*row)
        return principal


class SharedTokens(TokenStore):
    """Tokens in a PostgreSQL database. Requests never wait for it: while it is away, the tokens that were known last are."""

    REFRESH_SECONDS = 0.5

    def __init__(self, url: str) -> None:
        self._connection = database = PostgresConnection(url)
        bring_up_database(database, "tokens", _SHARED_STEPS)
        self._prepare()
        self._known: dict[bytes, Principal] = {}
        self._ended = threading.Event()
        self._refresher: threading.Thread | None = None

    def find(self, token: str) -> Principal | None:
        """The principal of a valid token, as of the last half second."""
        if self._refresher is None:
            self._refresh()
            self._refresher = threading.Thread(target=self._keep_fresh, name="tokens", daemon=True)
            self._refresher.start()
        principal = self._known.get(_digest(token))
        if principal is not None:
            self._used.add(principal.token_id)
        return principal

    def close(self) -> None:
        self._ended.set()
        super().close()

    def _keep_fresh(self) -> None:
        while not self._ended.wait(self.REFRESH_SECONDS):
            try:
                self._refresh()
            except DATABASE_ERRORS as error:
                log.warning("tokens could not be read", error=str(error))
            if time.monotonic() - self._flushed > self.FLUSH_SECONDS:
                self.flush()

    def _refresh(self) -> None:
        with self._lock:
            rows = self._connection.execute(
                "SELECT digest, id, identity, msp, role FROM token WHERE revoked_at IS NULL"
            ).fetchall()
        self._known = {bytes(row[0]): Principal(*row[1:]) for row in rows}


def open_tokens(place: Path | str) -> TokenStore:
    """The tokens of an instance: in a file, or in the database at an address."""
    return SharedTokens(place) if isinstance(place, str) else TokenStore(place)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
