"""A bad day on a network of four organisations: scans go on while everything that can go wrong does.

    python -m benchmarks.bad_day --minutes 10 --rate 200

One instance on a real Fabric network of this machine. From beginning to end readers send one event a request, sixty
analysts ask, and a stranger sends what hurts. One after the other, a byte in a peer's block file and a row of the read
model are altered, the disk is full for a while, the clock of all processes jumps (for which a C compiler is needed), and the certificate that the scans go to the ledger with has ended. Asked for: every acknowledged scan on the
ledger once, both alterations named, memory flat; and how long scans waited, beside the same scans on the same instance
before all that.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from benchmarks import mishaps
from benchmarks.capture_latency import Connections, Latencies, free_port, health, request, until
from benchmarks.report import report
from benchmarks.scans_beside_analysts import analysts
from fabric.words.blocks import Write, decode_block
from instance.creation import create_token, load_settings
from instance.ledgers import open_readers
from instance.settings import Settings
from lotline.networks import network_of

ANALYSTS = 60
TARGET_MS = 50.0
TARGET_MEMORY = 1.5
_PATIENCE = 900.0
_EPC = "urn:epc:id:sgtin:9506000.013435."


@dataclass
class Day:
    """What was seen."""

    latencies: Latencies = field(default_factory=lambda: Latencies([], 0))
    acknowledged: set[str] = field(default_factory=set)
    """Serial numbers."""
    memory: dict[str, list[float]] = field(default_factory=dict)
    """MiB by service, sample by sample."""


def measure(minutes: float, rate: float) -> int:
    """Run it and print what came out; 0 if nothing was lost or doubled and what was altered was named."""
    seconds = minutes * 60
    with tempfile.TemporaryDirectory() as scratch:
        clock = mishaps.Clock(Path(scratch))
        with instance(Path(scratch) / "home", clock) as (settings, url, token):
            quiet = scan(url, token, rate, min(30.0, seconds / 4))
            tell("before", quiet.latencies)
            day, findings = spoil(settings, clock, url, token, rate, seconds)
            day.acknowledged |= quiet.acknowledged
            tell("on the bad day", day.latencies)
            missing, doubled = asyncio.run(compare(settings, day.acknowledged))
    print(f"acknowledged {len(day.acknowledged)}: missing {len(missing)}, twice {len(doubled)} {sorted(missing)[:5]}")
    report(
        "scan p99 on a bad day",
        measured=day.latencies.percentile(0.99),
        target=TARGET_MS,
        unit="ms",
        lower_is_better=True,
    )
    for name, held in sorted(day.memory.items()):
        third = max(1, len(held) // 3)
        ratio = statistics.mean(held[-third:]) / statistics.mean(held[third : 2 * third])
        print(f"{name}: {held[0]:.0f} MiB at first, {max(held):.0f} at most, {held[-1]:.0f} at last")
        report(
            f"memory of {name}, last third to second",
            measured=ratio,
            target=TARGET_MEMORY,
            unit="x",
            lower_is_better=True,
        )
    return 1 if missing or doubled or not all(findings.values()) else 0


@contextlib.contextmanager
def instance(home: Path, clock: mishaps.Clock) -> Iterator[tuple[Settings, str, str]]:
    """`lotline up` on a network of its own, watched every half minute; its settings, URL, and a scanner's token."""
    port = free_port()
    command = [sys.executable, "-m", "lotline.cli", "--home", str(home)]
    up = [*command, "up", "--ledger", "fabric", "--no-ui", "--port", str(port)]
    child = None
    try:
        subprocess.run([*up, "--detach"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*command, "down"], check=True, stdout=subprocess.DEVNULL)
        config = home / "config.toml"
        config.write_text(config.read_text(encoding="utf-8") + "\n[watch]\nminutes = 0.5\n", encoding="utf-8")
        settings = load_settings(home)
        token = create_token(settings, "scanner", "scanner")
        child = subprocess.Popen(up, env={**os.environ, **clock.environment}, stdout=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        until(lambda: health(url).get("status") == "ok", 300)
        yield settings, url, token
    finally:
        if child is not None:
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=60)
        subprocess.run([*command, "network", "down"], check=False, stdout=subprocess.DEVNULL)


def scan(url: str, token: str, rate: float, seconds: float) -> Day:
    """Scans from another process; those that were answered 202 are acknowledged."""
    arguments = ["--scan", url, "--token", token, "--rate", str(rate), "--seconds", str(seconds)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.bad_day", *arguments], check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    return Day(Latencies(sorted(found["milliseconds"]), found["failed"]), set(found["acknowledged"]))


async def generate(url: str, token: str, rate: float, seconds: float) -> None:
    """The readers' process: an event a request at even moments, whatever the answers; results as JSON."""
    host, port = url.removeprefix("http://").split(":")
    pool = Connections(host, int(port))
    milliseconds: list[float] = []
    acknowledged: list[str] = []

    async def send(number: int, due: float) -> None:
        status = 0
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, StopIteration, TimeoutError):
            status = await asyncio.wait_for(pool.exchange(request(host, token, number)), 120)
        milliseconds.append((time.perf_counter() - due) * 1000)
        if status == 202:
            acknowledged.append(f"{os.getpid()}-{number}")

    begin = time.perf_counter() + 0.1
    sent = []
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        sent.append(asyncio.create_task(send(number, due)))
    await asyncio.gather(*sent)
    failed = len(sent) - len(acknowledged)
    print(json.dumps({"milliseconds": milliseconds, "failed": failed, "acknowledged": acknowledged}))


def spoil(
    settings: Settings, clock: mishaps.Clock, url: str, token: str, rate: float, seconds: float
) -> tuple[Day, dict[str, bool]]:
    """The bad day itself; what was seen, and which alterations were named."""
    found: list[Day] = []
    readers = threading.Thread(target=lambda: found.append(scan(url, token, rate, seconds)))
    stranger = mishaps.Stranger(url, create_token(settings, "scanner", "scanner"))
    analyst = create_token(settings, "analyst", "analyst")
    began = time.monotonic()
    stopping = threading.Event()
    memory: dict[str, list[float]] = {}
    sampler = threading.Thread(target=lambda: sample(settings, memory, stopping, seconds / 60))
    with analysts(url, analyst, ANALYSTS):
        for thread in (readers, sampler):
            thread.start()
        stranger.start()
        altered = go_wrong(settings, clock, began, seconds)
        readers.join()
        stranger.stop()
        stopping.set()
        sampler.join()
    print(f"the stranger's answers by status: {dict(sorted(stranger.answers.items()))}")
    settle(url, create_token(settings, "auditor", "auditor"))
    findings = {}
    for what, words in altered.items():
        with contextlib.suppress(SystemExit):
            until(lambda words=words: words in mishaps.spoken(settings), 200)  # type: ignore[misc]
        findings[what] = words in mishaps.spoken(settings)
        print(f"{what}: {'named' if findings[what] else 'NOT NAMED'}", flush=True)
    print(f"the watcher said: {mishaps.summary(settings)}")
    (day,) = found
    day.memory = memory
    return day, findings


def go_wrong(settings: Settings, clock: mishaps.Clock, began: float, seconds: float) -> dict[str, str]:
    """One mishap after the other; what was altered, with what the watcher's report must then have in it."""
    network = network_of(settings)
    assert network is not None

    def wait(share: float) -> None:
        time.sleep(max(0.0, began + share * seconds - time.monotonic()))

    wait(0.15)
    say("a byte in a block file is another", mishaps.alter_block_file(network))
    wait(0.25)
    row = mishaps.alter_row(settings)
    say("a row of the read model is another", row)
    wait(0.35)
    running = mishaps.services(settings)
    with mishaps.full_disk([pid for name in ("api", "worker") for pid in mishaps.family(running[name])]):
        say("the disk is full", "")
        wait(0.45)
    say("there is room again", "")
    wait(0.5)
    for share, days in ((0.56, 400), (0.62, -2), (0.62, 0)):
        say("the clock is wrong by days:", days)
        clock.jump(days)
        wait(share)
    wait(0.7)
    with mishaps.ended_certificate(settings, network, settings.ledger.organisations[0].msp_id, "scanner"):
        say("a certificate has ended", "")
        wait(0.8)
    say("and is renewed", "")
    return {"the block file": '"where": "blocks"', "the row of the read model": '"where": "tables"'}


def say(what: str, more: object) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {what} {more}", flush=True)


def sample(settings: Settings, into: dict[str, list[float]], stopping: threading.Event, pause: float) -> None:
    """Look at what the services hold, again and again."""
    while not stopping.wait(pause):
        with contextlib.suppress(OSError, orjson.JSONDecodeError):
            for name, pid in mishaps.services(settings).items():
                into.setdefault(name, []).append(mishaps.anonymous_memory(pid))


def settle(url: str, token: str) -> None:
    """Wait until nothing waits for the ledger and the read model has all of it."""

    def done() -> bool:
        said = health(url, token)
        inbox, projector = said.get("inbox"), said.get("projector")
        waiting = not isinstance(inbox, dict) or inbox.get("jobs") != 0
        return not waiting and isinstance(projector, dict) and projector.get("lagBlocks") == 0

    try:
        until(done, _PATIENCE)
    except SystemExit:
        print(f"did not settle: {health(url, token)}")


async def compare(settings: Settings, acknowledged: set[str]) -> tuple[set[str], set[str]]:
    """Acknowledged scans that the peers' valid transactions do not have, and those they have twice."""
    counted: Counter[str] = Counter()
    ledger, *others = (await open_readers(settings)).values()
    try:
        height = await ledger.height()
        async for block in ledger.blocks(0):
            for tx in decode_block(block).transactions:
                if tx.valid:
                    counted.update(serials(tx.writes))
            if block.header.number + 1 == height:
                break
    finally:
        for one in (ledger, *others):
            await one.close()
    return acknowledged - counted.keys(), {serial for serial in acknowledged if counted[serial] > 1}


def serials(writes: list[Write]) -> Iterator[str]:
    """The serial numbers of the scans that a transaction's writes hold."""
    for write in writes:
        if write.key.startswith("\x00EV\x00") and write.value:
            for epc in orjson.loads(write.value).get("event", {}).get("epcList") or ():
                yield str(epc).rpartition("/21/")[2]


def tell(name: str, latencies: Latencies) -> None:
    """One line."""
    print(
        f"{name:>15}: p50 {latencies.percentile(0.5):.1f} ms, p99 {latencies.percentile(0.99):.1f} ms, "
        f"max {latencies.milliseconds[-1]:.0f} ms, {len(latencies.milliseconds)} scans, {latencies.failed} not acknowledged",
        flush=True,
    )


def main() -> int:
    """Without ``--scan``: the day. With it: the readers' process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3, help="how long the bad day lasts")
    parser.add_argument("--rate", type=float, default=200, help="scans a second")
    parser.add_argument("--scan", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--token", default="", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.scan:
        asyncio.run(generate(options.scan, options.token, options.rate, options.seconds))
        return 0
    return measure(options.minutes, options.rate)


if __name__ == "__main__":
    sys.exit(main())
