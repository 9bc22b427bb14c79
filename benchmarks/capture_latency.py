"""How long a scanner waits for the answer to ``POST /capture`` while the instance does all its work.

    python -m benchmarks.capture_latency --rate 200 --seconds 20

Both processes of an instance run as in production: the HTTP process, and the worker that puts the events on the
ledger and into the read model. A third process sends one event a request at the given mean rate over loopback, at
random moments (Poisson), whether or not earlier answers have come: a latency counts from the moment the request was
due, so that a stall is charged to every request it delays.

Baseline: an application of the same framework and server whose one route reads the body and answers 202, under the
same load. What durability, validation and authorisation cost is the ratio of the two.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response

from benchmarks.report import report
from instance.creation import OrganisationConfig, create_instance, create_token, load_settings

TARGET_MS = 20.0
WARM_UP_SECONDS = 3.0
ROUNDS = 3


@dataclass(frozen=True)
class Latencies:
    """Of every request that was due, in milliseconds, sorted; and how many were not answered 202."""

    milliseconds: list[float]
    failed: int

    def percentile(self, share: float) -> float:
        return self.milliseconds[min(len(self.milliseconds) - 1, int(len(self.milliseconds) * share))]


def measure(rate: float, seconds: float) -> None:
    """Run baseline and instance one after the other and print what came out.

    Three rounds, of which the middle one counts: other work on the machine (or its disk) is not what is measured.
    """
    with tempfile.TemporaryDirectory() as scratch:
        with baseline() as url:
            floor = middle([load(url, "nobody", rate, seconds / ROUNDS) for _ in range(ROUNDS)])
        with instance(Path(scratch) / "home") as (url, token):
            load(url, token, rate, WARM_UP_SECONDS)
            rounds = [load(url, token, rate, seconds / ROUNDS) for _ in range(ROUNDS)]
            behind = waiting_jobs(url, token)
            drained = drain(url, token)
    scanned = middle(rounds)
    for name, latencies in (("read the body, answer 202", floor), ("POST /capture", scanned)):
        print(
            f"{name:>26}: p50 {latencies.percentile(0.5):6.2f} ms   p99 {latencies.percentile(0.99):6.2f} ms   "
            f"max {latencies.milliseconds[-1]:6.2f} ms   {len(latencies.milliseconds)} requests"
        )
    p99, base = scanned.percentile(0.99), floor.percentile(0.99)
    print(f"p99 of each round: {', '.join(f'{each.percentile(0.99):.2f}' for each in rounds)} ms")
    print(f"capture / baseline: p50 x{scanned.percentile(0.5) / floor.percentile(0.5):.1f}, p99 x{p99 / base:.1f}")
    print(f"when the load ended {behind} jobs waited for the ledger; all were in the read model {drained:.2f} s later")
    if floor.failed or any(each.failed for each in rounds):
        raise SystemExit("some requests were not answered 202")
    claim = f"answer to a scan at {rate:.0f} requests/s, p99"
    report(claim, measured=p99, target=TARGET_MS, unit="ms", lower_is_better=True)


def middle(rounds: list[Latencies]) -> Latencies:
    """The round with the median p99."""
    return sorted(rounds, key=lambda each: each.percentile(0.99))[len(rounds) // 2]


@contextlib.contextmanager
def instance(home: Path, **http: int) -> Iterator[tuple[str, str]]:
    """Both processes of a new instance with these settings of ``[http]``; its URL and a scanner's token."""
    port = free_port()
    create_instance(home, organisations=[OrganisationConfig(msp_id="FarmMSP", name="Farm")], port=port)
    config = home / "config.toml"
    lines = "".join(f"{name} = {value}\n" for name, value in http.items())
    config.write_text(config.read_text(encoding="utf-8").replace("[http]\n", f"[http]\n{lines}"), encoding="utf-8")
    token = create_token(load_settings(home), "scanner", "scanner")
    with process("relay.worker", "--home", str(home)), process("api.server", "--home", str(home)):
        url = f"http://127.0.0.1:{port}"
        until(lambda: health(url).get("status") == "ok")
        yield url, token


@contextlib.contextmanager
def baseline() -> Iterator[str]:
    """A server that only reads the body."""
    port = free_port()
    with process("benchmarks.capture_latency", "--serve-baseline", str(port)):
        url = f"http://127.0.0.1:{port}"
        until(lambda: health(url) != {})
        yield url


def serve_baseline(port: int) -> None:
    """The baseline's process."""
    app = FastAPI()

    @app.post("/capture")
    async def capture(request: Request) -> Response:
        await request.body()
        return Response(status_code=202)

    @app.get("/health")
    async def well() -> dict[str, str]:
        return {"status": "ok"}

    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", log_level="error", access_log=False, timeout_keep_alive=75
    )


def load(url: str, token: str, rate: float, seconds: float) -> Latencies:
    """Load from another process."""
    arguments = ["--generate", url, "--token", token, "--rate", str(rate), "--seconds", str(seconds)]
    command = [sys.executable, "-m", "benchmarks.capture_latency", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    return Latencies(sorted(found["milliseconds"]), found["failed"])


async def generate(url: str, token: str, rate: float, seconds: float) -> None:
    """The load generator's process: requests at random moments, one event each, results as JSON."""
    chance = random.Random(7)
    host, port = url.removeprefix("http://").split(":")
    pool = Connections(host, int(port))
    requests = [request(host, token, number) for number in range(int(rate * seconds))]
    milliseconds: list[float] = []
    failed = 0

    async def send(content: bytes, due: float) -> None:
        nonlocal failed
        status = await pool.exchange(content)
        milliseconds.append((time.perf_counter() - due) * 1000)
        failed += status != 202

    due = time.perf_counter() + 0.1
    sent = []
    for content in requests:
        due += chance.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        sent.append(asyncio.create_task(send(content, due)))
    await asyncio.gather(*sent)
    print(json.dumps({"milliseconds": milliseconds, "failed": failed}))


class Connections:
    """Keep-alive connections, as many as are in use at once: the generator itself must cost little."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def exchange(self, content: bytes) -> int:
        """Send a request, read the answer; its status."""
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(*self._address)
        writer.write(content)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        await reader.readexactly(length)
        self._idle.append((reader, writer))
        return int(head.split(b" ", 2)[1])


def request(host: str, token: str, number: int) -> bytes:
    """A scan: one item seen at the dock, never the same twice."""
    moment = datetime(2026, 5, 4, 9, 0, tzinfo=UTC) + timedelta(milliseconds=number)
    body = json.dumps(
        {
            "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": moment.isoformat(),
            "epcisBody": {
                "eventList": [
                    {
                        "type": "ObjectEvent",
                        "eventTime": moment.isoformat(timespec="milliseconds"),
                        "eventTimeZoneOffset": "+00:00",
                        "action": "OBSERVE",
                        "bizStep": "storing",
                        "disposition": "in_progress",
                        "epcList": [f"urn:epc:id:sgtin:9506000.013435.{os.getpid()}-{number}"],
                        "readPoint": {"id": "urn:epc:id:sgln:0614141.00001.0"},
                        "bizLocation": {"id": "urn:epc:id:sgln:0614141.00001.0"},
                    }
                ]
            },
        }
    ).encode()
    head = (
        f"POST /capture HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextlib.contextmanager
def process(module: str, *arguments: str) -> Iterator[None]:
    """A child process for the time of the block; its log lines are thrown away."""
    child = subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=30)


def health(url: str, token: str = "") -> dict[str, object]:
    """What the server says of itself, more to those with a token; nothing while it is not there."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        found: dict[str, object] = httpx.get(f"{url}/health", headers=headers).json()
    except httpx.TransportError:
        return {}
    return found


def waiting_jobs(url: str, token: str) -> int:
    """Jobs that are not on the ledger yet (as the server knows, which may be a second old)."""
    inbox = health(url, token)["inbox"]
    assert isinstance(inbox, dict)
    return int(inbox["jobs"])


def drain(url: str, token: str) -> float:
    """Seconds until nothing waits and the read model has every block."""
    started = time.monotonic()

    def done() -> bool:
        projector = health(url, token)["projector"]
        assert isinstance(projector, dict)
        return waiting_jobs(url, token) == 0 and projector["lagBlocks"] == 0

    until(done)
    return time.monotonic() - started


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"waited {seconds} s in vain")
        time.sleep(0.02)


def free_port() -> int:
    """A port nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Without words: measure. The other modes are for the processes it starts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=18, help="of load, over all rounds")
    parser.add_argument("--generate", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--token", default="", help=argparse.SUPPRESS)
    parser.add_argument("--serve-baseline", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_baseline:
        serve_baseline(options.serve_baseline)
    elif options.generate:
        asyncio.run(generate(options.generate, options.token, options.rate, options.seconds))
    else:
        measure(options.rate, options.seconds)


if __name__ == "__main__":
    main()
