"""The inbox file: its tables, and how a file of an earlier version becomes one of this version.

Rows are narrow and what is large lies apart (`payload`) or at a row's end (`verdicts`), so that looking at a job reads nothing
of it. ``tally`` is kept by triggers in the transaction of each change: whoever changes a job cannot forget it, and nobody
ever counts.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import overload

from instance.database import Connection, connect
from ledger.schema import bring_up, version
from relay.shared_schema import open_shared

# Jobs of so few events and bytes are scans: they need not wait for a whole bulk upload (`relay.turns`).
SCAN_EVENTS = 10
SCAN_BYTES = 32 * 1024

_FIRST = """
CREATE TABLE IF NOT EXISTS batch (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  function TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  nonce BLOB NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS job (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  function TEXT NOT NULL,
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  on_error TEXT NOT NULL,
  payload BLOB,
  events INTEGER NOT NULL,
  digest BLOB NOT NULL,
  idempotency_key TEXT,
  created_at TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  batch INTEGER REFERENCES batch (id),
  tx_id TEXT,
  block INTEGER,
  accepted INTEGER,
  duplicate INTEGER,
  rejected INTEGER,
  verdicts BLOB,
  failure BLOB,
  finished_at TEXT,
  refused BLOB,
  master_data BLOB
) STRICT;
"""
# What files of the very first versions do not have.
_ADDED = ("refused", "master_data")

_ADD = """
INSERT INTO tally VALUES (new.msp, new.identity, new.state, 1, new.events, new.alarm)
ON CONFLICT DO UPDATE SET jobs = jobs + 1, events = events + excluded.events, alarms = alarms + excluded.alarms;
"""
_TAKE = """
UPDATE tally SET jobs = jobs - 1, events = events - old.events, alarms = alarms - old.alarm
WHERE msp = old.msp AND identity = old.identity AND state = old.state;
"""
_PAYLOADS_APART = f"""
DROP INDEX IF EXISTS job_key;
DROP INDEX IF EXISTS job_lane;
DROP INDEX IF EXISTS job_batch;
DROP INDEX IF EXISTS job_block;
DROP INDEX IF EXISTS job_finished;
ALTER TABLE batch ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX batch_lane ON batch (msp, identity, doubted, first_seq);
ALTER TABLE job RENAME TO job_before;
CREATE TABLE job (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  function TEXT NOT NULL,
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  on_error TEXT NOT NULL,
  events INTEGER NOT NULL,
  size INTEGER NOT NULL,
  scan INTEGER NOT NULL,
  digest BLOB NOT NULL,
  idempotency_key TEXT,
  created_at TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  alarm INTEGER NOT NULL DEFAULT 0,
  batch INTEGER REFERENCES batch (id),
  tx_id TEXT,
  block INTEGER,
  accepted INTEGER,
  duplicate INTEGER,
  rejected INTEGER,
  failure BLOB,
  finished_at TEXT,
  refused BLOB,
  verdicts BLOB
) STRICT;
CREATE TABLE payload (
  seq INTEGER PRIMARY KEY REFERENCES job (seq) ON DELETE CASCADE,
  content BLOB NOT NULL,
  master_data BLOB
) STRICT;
CREATE TABLE tally (
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  state TEXT NOT NULL,
  jobs INTEGER NOT NULL,
  events INTEGER NOT NULL,
  alarms INTEGER NOT NULL,
  PRIMARY KEY (msp, identity, state)
) STRICT, WITHOUT ROWID;
INSERT INTO job (seq, id, function, msp, identity, on_error, events, size, scan, digest, idempotency_key, created_at, state,
  alarm, batch, tx_id, block, accepted, duplicate, rejected, failure, finished_at, refused, verdicts)
SELECT seq, id, function, msp, identity, on_error, events, size,
  function = 'capture' AND events <= {SCAN_EVENTS} AND size <= {SCAN_BYTES} AND (on_error = 'rollback' OR events = 1),
  digest, idempotency_key, created_at, state, state = 'failed' AND function = 'capture', batch, tx_id, block, accepted,
  duplicate, rejected, failure, finished_at, refused, verdicts
FROM (SELECT *, coalesce(length(payload), 0) + coalesce(length(master_data), 0) AS size FROM job_before) ORDER BY seq;
INSERT INTO payload SELECT seq, payload, master_data FROM job_before WHERE payload IS NOT NULL ORDER BY seq;
DROP TABLE job_before;
CREATE UNIQUE INDEX job_key ON job (msp, identity, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_turn ON job (msp, identity, scan, seq) WHERE state = 'pending';
CREATE INDEX job_alone ON job (msp, identity, seq) WHERE state = 'pending' AND function <> 'capture';
CREATE INDEX job_batch ON job (batch, seq) WHERE batch IS NOT NULL;
CREATE INDEX job_block ON job (block) WHERE state = 'committed';
CREATE INDEX job_done ON job (finished_at) WHERE state = 'done';
CREATE INDEX job_failed ON job (msp, identity, seq) WHERE state = 'failed';
CREATE INDEX job_owner ON job (msp, identity, seq) WHERE function = 'capture';
INSERT INTO tally SELECT msp, identity, state, count(*), sum(events), sum(alarm) FROM job GROUP BY msp, identity, state;
CREATE TRIGGER tally_in AFTER INSERT ON job BEGIN {_ADD} END;
CREATE TRIGGER tally_out AFTER DELETE ON job BEGIN {_TAKE} END;
CREATE TRIGGER tally_change AFTER UPDATE OF state, alarm ON job BEGIN {_TAKE} {_ADD} END;
"""
STEPS = (_FIRST, _PAYLOADS_APART)
"""What leads from one version of the file's tables to the next."""


@overload
def open_inbox(place: Path, *, autocheckpoint: int = 1000) -> sqlite3.Connection: ...
@overload
def open_inbox(place: Path | str, *, autocheckpoint: int = 1000) -> Connection: ...
def open_inbox(place: Path | str, *, autocheckpoint: int = 1000) -> Connection:
    """A connection to the inbox: a file, or the database at an address. It is made if absent and brought to this version if it
    is older.

    Raises `ledger.schema.NewerSchemaError` for one of a later version.
    """
    return open_shared(place) if isinstance(place, str) else _open_file(place, autocheckpoint)


def _open_file(path: Path, autocheckpoint: int) -> sqlite3.Connection:
    connection = connect(path, autocheckpoint=autocheckpoint)
    try:
        if version(connection) == 0:
            _complete(connection)
        bring_up(connection, STEPS)
    except BaseException:
        connection.close()
        raise
    return connection


def _complete(connection: sqlite3.Connection) -> None:
    """What a file of the first step should have had from the start."""
    known = {row["name"] for row in connection.execute("PRAGMA table_info(job)")}
    for column in _ADDED if known else ():
        if column not in known:
            try:
                connection.execute(f"ALTER TABLE job ADD COLUMN {column} BLOB")
            except sqlite3.OperationalError as error:  # another process was a moment faster
                if "duplicate column" not in str(error):
                    raise
