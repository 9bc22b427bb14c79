"""Whether a scan waits longer because many jobs wait or are finished.

    python -m benchmarks.inbox_backlog --waiting 500000 --finished 1000000

Two HTTP processes, one over an empty inbox and one over an inbox that holds so many jobs; nobody takes what waits to a
ledger. Both get the same scans in turns, while somebody scrapes ``/metrics`` of both once a second. The ratio of the two
p99 says what the backlog costs.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.capture_latency import ROUNDS, Latencies, free_port, health, load, middle, process, until
from benchmarks.report import report
from instance.creation import OrganisationConfig, create_instance, create_token, load_settings
from relay.jobs import now, open_inbox

TARGET_RATIO = 1.5
VERDICTS = b'[{"event":"ni:///sha-256;' + b"a" * 64 + b'?ver=CBV2.0","verdict":"accepted"}]'
PAYLOAD = b"[" + b"x" * 900 + b"]"


def measure(waiting: int, finished: int, rate: float, seconds: float) -> None:
    """Load both in turns and print what came out."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as running:
        places = [Path(scratch) / name for name in ("empty", "full")]
        homes = [make(place) for place in places]
        fill(places[1], waiting, finished)
        urls = [running.enter_context(serving(place, port)) for place, (port, _) in zip(places, homes, strict=True)]
        running.enter_context(scraped(urls))
        rounds: list[list[Latencies]] = [[], []]
        for _ in range(ROUNDS + 1):
            for found, url, (_, token) in zip(rounds, urls, homes, strict=True):
                found.append(load(url, token, rate, seconds / ROUNDS))
    if any(one.failed for found in rounds for one in found):
        raise SystemExit("some requests were not answered 202")
    empty, full = (middle(found[1:]) for found in rounds)  # the first round warms up
    for name, one in (("empty", empty), (f"{waiting:,} waiting, {finished:,} finished", full)):
        print(f"{name}: p50 {one.percentile(0.5):.1f} ms, p99 {one.percentile(0.99):.1f} ms")
    ratio = full.percentile(0.99) / empty.percentile(0.99)
    report(
        "scan's p99 with a full inbox, to an empty one",
        measured=ratio,
        target=TARGET_RATIO,
        unit="x",
        lower_is_better=True,
    )


def make(home: Path) -> tuple[int, str]:
    """An instance; its port and a scanner's token."""
    port = free_port()
    create_instance(home, organisations=[OrganisationConfig(msp_id="FarmMSP", name="Farm")], port=port)
    return port, create_token(load_settings(home), "scanner", "scanner")


@contextlib.contextmanager
def serving(home: Path, port: int) -> Iterator[str]:
    """Its HTTP process."""
    url = f"http://127.0.0.1:{port}"
    with process("api.server", "--home", str(home)):
        until(lambda: bool(health(url)))
        yield url


@contextlib.contextmanager
def scraped(urls: list[str]) -> Iterator[None]:
    """Somebody reads the metrics, as Prometheus does."""
    ended = threading.Event()

    def scrape() -> None:
        while not ended.wait(1.0):
            for url in urls:
                httpx.get(f"{url}/metrics", timeout=60)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def fill(home: Path, waiting: int, finished: int) -> None:
    """Put so many jobs into the inbox."""
    connection = open_inbox(load_settings(home).inbox_file)
    connection.execute("PRAGMA synchronous = OFF")
    known = {row["name"] for row in connection.execute("PRAGMA table_info(job)")}
    connection.execute("BEGIN")
    put(connection, known, "done", finished)
    put(connection, known, "pending", waiting)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def put(connection: sqlite3.Connection, known: set[str], state: str, count: int) -> None:
    """Rows as they are after the work; the payload in the row where this version has it there."""
    done = state == "done"
    values = {
        "function": "capture", "msp": "FarmMSP", "identity": "scanner", "on_error": "rollback", "events": 1, "size": 902,
        "scan": 1, "digest": b"d" * 32, "created_at": now(), "state": state, "finished_at": now() if done else None,
        "verdicts": VERDICTS if done else None, "block": 1 if done else None, "payload": None if done else PAYLOAD,
    }  # fmt: skip
    names = [name for name in values if name in known]
    row = [values[name] for name in names]
    statement = f"INSERT INTO job (id, {', '.join(names)}) VALUES (?{', ?' * len(names)})"
    connection.executemany(statement, ([secrets.token_hex(16), *row] for _ in range(count)))
    if "payload" not in known and not done:
        connection.execute(
            "INSERT INTO payload (seq, content) SELECT seq, ? FROM job WHERE state = 'pending'", (PAYLOAD,)
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=500_000)
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=12.0)
    options = parser.parse_args()
    measure(options.waiting, options.finished, options.rate, options.seconds)
