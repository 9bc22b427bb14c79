"""The inbox in PostgreSQL: the tables of `relay.schema`, for several processes and hosts.

Counters are kept as in the file, but each session counts in rows of its own (``writer``), so that nobody waits for another's
transaction to end and no two wait for each other; `fold` puts together what others have counted. A worker says how it is in
``worker``: its file is on its own host.
"""

from __future__ import annotations

from instance.postgres import PostgresConnection, bring_up

_COUNT = """
    INSERT INTO tally AS mine VALUES (pg_backend_pid(), {row}.msp, {row}.identity, {row}.state, {sign}1, {sign}{row}.events, {sign}{row}.alarm)
    ON CONFLICT (writer, msp, identity, state) DO UPDATE
    SET jobs = mine.jobs + excluded.jobs, events = mine.events + excluded.events, alarms = mine.alarms + excluded.alarms;
"""
_FIRST = f"""
CREATE TABLE batch (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  function TEXT NOT NULL,
  first_seq BIGINT NOT NULL,
  nonce BYTEA NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  doubted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE job (
  seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  function TEXT NOT NULL,
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  on_error TEXT NOT NULL,
  events INTEGER NOT NULL,
  size BIGINT NOT NULL,
  scan INTEGER NOT NULL,
  digest BYTEA NOT NULL,
  idempotency_key TEXT,
  created_at TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  alarm INTEGER NOT NULL DEFAULT 0,
  batch BIGINT REFERENCES batch (id),
  tx_id TEXT,
  block BIGINT,
  accepted INTEGER,
  duplicate INTEGER,
  rejected INTEGER,
  failure BYTEA,
  finished_at TEXT,
  refused BYTEA,
  verdicts BYTEA
);
CREATE TABLE payload (
  seq BIGINT PRIMARY KEY REFERENCES job (seq) ON DELETE CASCADE,
  content BYTEA NOT NULL,
  master_data BYTEA
);
CREATE TABLE tally (
  writer INTEGER NOT NULL,
  msp TEXT NOT NULL,
  identity TEXT NOT NULL,
  state TEXT NOT NULL,
  jobs BIGINT NOT NULL,
  events BIGINT NOT NULL,
  alarms BIGINT NOT NULL,
  PRIMARY KEY (writer, msp, identity, state)
) WITH (fillfactor = 50);
CREATE TABLE worker (
  name TEXT PRIMARY KEY,
  at TIMESTAMPTZ NOT NULL,
  report BYTEA NOT NULL
);
CREATE INDEX batch_lane ON batch (msp, identity, doubted, first_seq);
CREATE UNIQUE INDEX job_key ON job (msp, identity, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_turn ON job (msp, identity, scan, seq) WHERE state = 'pending';
CREATE INDEX job_alone ON job (msp, identity, seq) WHERE state = 'pending' AND function <> 'capture';
CREATE INDEX job_batch ON job (batch, seq) WHERE batch IS NOT NULL;
CREATE INDEX job_block ON job (block) WHERE state = 'committed';
CREATE INDEX job_done ON job (finished_at) WHERE state = 'done';
CREATE INDEX job_failed ON job (msp, identity, seq) WHERE state = 'failed';
CREATE INDEX job_owner ON job (msp, identity, seq) WHERE function = 'capture';
CREATE FUNCTION tally_in() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_COUNT.format(row="NEW", sign="")} RETURN NULL; END $$;
CREATE FUNCTION tally_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_COUNT.format(row="OLD", sign="-")} RETURN NULL; END $$;
CREATE TRIGGER tally_in AFTER INSERT ON job FOR EACH ROW EXECUTE FUNCTION tally_in();
CREATE TRIGGER tally_out AFTER DELETE ON job FOR EACH ROW EXECUTE FUNCTION tally_out();
CREATE TRIGGER tally_from AFTER UPDATE OF state, alarm ON job FOR EACH ROW EXECUTE FUNCTION tally_out();
CREATE TRIGGER tally_to AFTER UPDATE OF state, alarm ON job FOR EACH ROW EXECUTE FUNCTION tally_in();
"""
STEPS = (_FIRST,)
"""What leads from one version of the tables to the next."""

_FOLD = """
WITH others AS (
  DELETE FROM tally WHERE ctid = ANY (ARRAY(SELECT ctid FROM tally WHERE writer <> pg_backend_pid() FOR UPDATE SKIP LOCKED))
  RETURNING msp, identity, state, jobs, events, alarms)
INSERT INTO tally AS mine
SELECT pg_backend_pid(), msp, identity, state, sum(jobs), sum(events), sum(alarms) FROM others GROUP BY msp, identity, state
ON CONFLICT (writer, msp, identity, state) DO UPDATE
SET jobs = mine.jobs + excluded.jobs, events = mine.events + excluded.events, alarms = mine.alarms + excluded.alarms
"""


def open_shared(url: str) -> PostgresConnection:
    """A connection to the inbox in a database, brought to this version."""
    connection = PostgresConnection(url)
    try:
        bring_up(connection, "inbox", STEPS)
    except BaseException:
        connection.close()
        raise
    return connection


def fold(connection: PostgresConnection) -> None:
    """Put what all sessions have counted into the rows of this one; by one process at a time, or two might wait for each other."""
    with connection.transaction(durable=False):
        connection.execute(_FOLD)
