"""What can go wrong on a bad day, done to a running instance on a network of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import orjson
from cryptography.hazmat.primitives import serialization

from auditing.report import Finding, read_report
from instance.settings import Settings
from network.network import Network
from tests.fabric.expiry import expired_identity
from tests.hostile import Hostile

_SOCKETS, _PIECE = 40, b"a" * 4096
_A_GLN = re.compile(rb'"https://id\.gs1\.org/414/\d+(\d)"')


class Stranger:
    """Somebody on the network with a scanner's token and bad intentions; the answers' statuses are counted."""

    def __init__(self, url: str, token: str, seed: int = 0) -> None:
        self._url, self._token = url, token
        self._hostile = Hostile(seed)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._write, self._hang, self._ask)]
        self.answers: dict[int, int] = {}

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self._url, headers={"Authorization": f"Bearer {self._token}"}, timeout=60)

    def _count(self, answer: httpx.Response) -> None:
        self.answers[answer.status_code] = self.answers.get(answer.status_code, 0) + 1

    def _write(self) -> None:
        """Documents that mean harm, well formed or not."""
        with self._client() as client:
            while not self._stopping.wait(0.05):
                with contextlib.suppress(httpx.TransportError):
                    body = self._hostile.document()
                    self._count(client.post("/capture", content=body, headers={"Content-Type": "application/json"}))

    def _ask(self) -> None:
        """Questions whose parameters nobody would write."""
        odd = ["1" * 4400, "\x00", "é", "%", "null", "-1", "[" * 3000, "9999-12-31T23:59:59-14:00"]
        names = ["perPage", "nextPageToken", "GE_eventTime", "EQ_bizStep", "MATCH_anyEPC", "eventCountLimit"]
        with self._client() as client:
            while not self._stopping.wait(0.1):
                for name in names:
                    with contextlib.suppress(httpx.TransportError, httpx.InvalidURL):
                        self._count(client.get("/events", params={name: self._hostile.random.choice(odd)}))

    def _hang(self) -> None:
        """Connections that begin a request and never end it, one of them with a header without end."""
        host, port = self._url.removeprefix("http://").split(":")
        while not self._stopping.wait(1.0):
            opened = []
            for _ in range(_SOCKETS):
                with contextlib.suppress(OSError):
                    opened.append(socket.create_connection((host, int(port)), timeout=1))
                    opened[-1].sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX: ")
            with contextlib.suppress(OSError):
                while opened and not self._stopping.is_set():
                    opened[0].sendall(_PIECE)
            for one in opened:
                one.close()


def alter_block_file(network: Network, organisation: int = 1) -> int:
    """Change a digit in the oldest block file of an organisation's first peer; the byte's place in the file.

    The peer is started anew: it answers from memory what it wrote lately.
    """
    peer = network.topology.organisations[organisation].peers[0]
    file = next(network.layout.peer(peer).rglob("blockfile_000000"))
    with file.open("r+b") as opened:
        content = opened.read()
        found = list(_A_GLN.finditer(content))[len(_A_GLN.findall(content)) // 2]
        digit = content[found.start(1)]
        opened.seek(found.start(1))
        opened.write(b"1" if digit != ord("1") else b"2")
    network.stop(peer.host)
    network.start(peer.host)
    return found.start(1)


def alter_row(settings: Settings) -> str:
    """Change what a row of the read model says; the row in words."""
    with closing(sqlite3.connect(settings.readmodel_file, timeout=30)) as database:
        ((identity, before),) = database.execute("SELECT id, biz_step FROM event ORDER BY id LIMIT 1 OFFSET 5")
        database.execute("UPDATE event SET biz_step = 'destroying' WHERE id = ?", (identity,))
        database.commit()
    return f"event {identity} ({before})"


@contextlib.contextmanager
def full_disk(pids: list[int], spare: int = 65_536) -> Iterator[None]:
    """No file of these processes may grow by much, which is how a disk without room looks to them."""
    for pid in pids:
        sizes = [os.path.getsize(f"/proc/{pid}/fd/{fd}") for fd in _writable(pid)]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(sizes, default=0) + spare, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _writable(pid: int) -> list[str]:
    folder = Path(f"/proc/{pid}/fd")
    return [one.name for one in folder.iterdir() if one.exists() and one.resolve().suffix in (".db", ".db-wal")]


class Clock:
    """The time of day in the processes that were started with ``environment``: what the machine's says, and a jump."""

    def __init__(self, folder: Path) -> None:
        self._offset, self._library = folder / "offset", folder / "clock.so"
        self._set(0)
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", self._library, source, "-ldl"], check=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a process must have been started with."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET": str(self._offset)}

    def jump(self, days: int) -> None:
        """To so many days from the right time."""
        self._set(days * 86_400)

    def _set(self, seconds: int) -> None:
        with self._offset.open("r+b" if self._offset.exists() else "w+b") as opened:
            opened.write(seconds.to_bytes(8, sys.byteorder, signed=True))


@contextlib.contextmanager
def ended_certificate(settings: Settings, network: Network, msp_id: str, name: str) -> Iterator[None]:
    """An identity of the instance has a certificate whose time is over, until it is given its own back."""
    folder = settings.organisation_dir(msp_id) / "identities" / name
    ended = expired_identity(network, msp_id)
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key = ended.key.private_bytes(pem, private, serialization.NoEncryption())
    kept = {file: (folder / file).read_bytes() for file in ("key.pem", "cert.pem")}
    _replace(folder, {"key.pem": key, "cert.pem": ended.certificate})
    try:
        yield
    finally:
        _replace(folder, kept)


def _replace(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        new = folder / f".{name}"
        shutil.copymode(folder / name, new) if new.exists() else new.touch(0o600)
        new.write_bytes(content)
        os.replace(new, folder / name)


def services(settings: Settings) -> dict[str, int]:
    """The processes that `lotline up` runs, by name."""
    said = orjson.loads((settings.run_dir / "up.json").read_bytes())
    return {name: one["pid"] for name, one in said["services"].items() if one.get("pid")}


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def anonymous_memory(pid: int) -> float:
    """MiB that a process and its children hold for themselves."""
    total = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{one}/status").read_text()
            total += int(re.search(r"RssAnon:\s+(\d+)", status)[1])  # type: ignore[index]
    return total / 1024


def spoken(settings: Settings) -> str:
    """The last report of the watcher as text."""
    file = settings.run_dir / "audit.json"
    return json.dumps(json.loads(file.read_text())) if file.exists() else ""


def summary(settings: Settings) -> str:
    """How many of which kind are in the watcher's last report, and the first of each."""
    report = read_report(settings.run_dir)
    if report is None:
        return "nothing"
    kinds: dict[str, list[Finding]] = {}
    for one in report.findings:
        kinds.setdefault(f"{one.where} of {one.whose}", []).append(one)
    told = [f"{len(found)} in {name}, like {found[0].what}: {found[0].detail}" for name, found in kinds.items()]
    return f"{report.count} findings; " + "; ".join(told)
