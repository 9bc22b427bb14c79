"""A client that sends bytes, whether they are HTTP or not; and a server that has been told to be impatient."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from tests.integration.api.processes import Process, answers, free_port, until

HOST = b"Host: localhost\r\n"
GET_HEALTH = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"


@contextlib.contextmanager
def server(home: Path, **http: object) -> Iterator[int]:
    """The port of a real HTTP process with these settings of ``[http]``."""
    config = home / "config.toml"
    port = free_port()
    lines = "".join(f"{name} = {str(value).lower()}\n" for name, value in http.items())
    text = config.read_text()
    assert "[http]\n" in text
    config.write_text(text.replace("[http]\n", f"[http]\n{lines}"))
    process = Process("api.server", home, "--port", str(port))
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}"))
        yield port
        log = process.log.read_text()
        assert "unhandled" not in log, log[-3000:]
        assert "Traceback" not in log, log[-3000:]
    finally:
        process.stop()


def connect(port: int, timeout: float = 30.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def send(connection: socket.socket, *pieces: bytes) -> bool:
    """Whether all of it was taken."""
    try:
        for piece in pieces:
            connection.sendall(piece)
    except OSError:
        return False
    return True


def received(connection: socket.socket) -> bytes:
    """Everything until the other side ends it."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def exchange(port: int, *pieces: bytes) -> bytes:
    """What a server says to these bytes until it closes the connection."""
    with connect(port) as connection:
        send(connection, *pieces)
        return received(connection)


def statuses(answer: bytes) -> list[int]:
    """Of all responses in it."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def one_answer(connection: socket.socket) -> bytes:
    """The next answer, of a connection that stays open."""
    answer = b""
    while (found := re.search(rb"(?s)content-length: (\d+)\r\n.*?\r\n\r\n(.*)", answer)) is None or len(found[2]) < int(
        found[1]
    ):
        part = connection.recv(65536)
        assert part, "closed in the middle"
        answer += part
    return answer
