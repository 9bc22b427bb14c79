"""How much longer a scanner waits while analysts read as much as they can.

    python -m benchmarks.scans_beside_analysts --rate 50 --seconds 6

Analysts ask for a thousand events a page, each again as soon as it has its answer. The same load is measured twice:
with queries in processes of their own, as an instance has them, and, beside the smaller crowd only, with queries in the
process that takes the scans.
What counts is the ratio to the same scans without analysts, in the same instance.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.capture_latency import Latencies, drain, instance, load
from benchmarks.report import report
from instance.creation import create_token, load_settings

CROWDS = (8, 60)
TARGET = 10.0
FILL_RATE, FILL_SECONDS = 300.0, 8.0


def measure(rate: float, seconds: float) -> None:
    """Run both kinds one after the other and print what came out."""
    with_processes = ratios("queries in processes of their own", rate, seconds)
    few = CROWDS[0]
    without = ratios("queries in the process of the scans", rate, seconds, crowds=(few,), query_processes=0)
    print(f"{few} analysts: p99 x{with_processes[few]:.1f}, in one process x{without[few]:.1f}")
    report(
        f"scan p99 beside {CROWDS[-1]} analysts / alone", measured=with_processes[CROWDS[-1]], target=TARGET, unit="times",
        lower_is_better=True,
    )  # fmt: skip


def ratios(
    name: str, rate: float, seconds: float, *, crowds: tuple[int, ...] = CROWDS, **http: int
) -> dict[int, float]:
    """p99 of scans beside each crowd to p99 of scans alone."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        with instance(home, **http) as (url, token):
            analyst = create_token(load_settings(home), "analyst", "analyst")
            load(url, token, FILL_RATE, FILL_SECONDS)
            drain(url, token)
            alone = load(url, token, rate, seconds)
            _tell(f"{name}, no analyst", alone)
            found = {}
            for crowd in crowds:
                with analysts(url, analyst, crowd):
                    beside = load(url, token, rate, seconds)
                _tell(f"{name}, {crowd} analysts", beside)
                found[crowd] = beside.percentile(0.99) / alone.percentile(0.99)
    return found


def _tell(name: str, latencies: Latencies) -> None:
    print(
        f"{name:>50}: p50 {latencies.percentile(0.5):7.1f} ms   p99 {latencies.percentile(0.99):7.1f} ms   "
        f"max {latencies.milliseconds[-1]:7.1f} ms   failed {latencies.failed}",
        flush=True,
    )


@contextlib.contextmanager
def analysts(url: str, token: str, crowd: int) -> Iterator[None]:
    """So many of them, in another process, until the block ends; then how much they were given is told."""
    arguments = ["--ask", url, "--token", token, "--crowd", str(crowd)]
    command = [sys.executable, "-m", "benchmarks.scans_beside_analysts", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        time.sleep(1.0)
        try:
            yield
        finally:
            assert child.stdin is not None
            child.stdin.close()
            child.wait()


async def ask(url: str, token: str, crowd: int) -> None:
    """The analysts' process: it asks until its input is closed."""
    os.nice(10)
    answers: dict[int, int] = {}
    limits = httpx.Limits(max_connections=crowd)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=120) as client:

        async def one() -> None:
            while True:
                answer = await client.get("/events", params={"perPage": "1000"})
                answers[answer.status_code] = answers.get(answer.status_code, 0) + 1

        tasks = [asyncio.create_task(one()) for _ in range(crowd)]
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(f"{'':>50}  the analysts' answers by status: {answers}", flush=True)


def main() -> None:
    """Without words: measure. The other mode is for the process it starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=50, help="scans a second")
    parser.add_argument("--seconds", type=float, default=8, help="of each load")
    parser.add_argument("--ask", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--token", default="", help=argparse.SUPPRESS)
    parser.add_argument("--crowd", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        asyncio.run(ask(options.ask, options.token, options.crowd))
    else:
        measure(options.rate, options.seconds)


if __name__ == "__main__":
    main()
