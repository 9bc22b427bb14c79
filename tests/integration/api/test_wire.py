"""What a stranger can do with a socket: no token is needed for it, so limits must hold before any is looked at."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from instance.creation import create_instance, create_token, load_settings
from tests.integration.api.conftest import ORGANISATIONS
from tests.integration.api.processes import until
from tests.integration.api.wire import GET_HEALTH, HOST, connect, exchange, one_answer, received, send, server, statuses

CLOSE = b"Connection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wire") / "home"
    create_instance(made, organisations=ORGANISATIONS)
    return made


@pytest.fixture(scope="module")
def port(home: Path) -> Iterator[int]:
    """A server with the limits everybody has, but for the time it waits."""
    with server(home, head_seconds=1.0, body_seconds=1.5, connections_per_address=40, query_processes=0) as found:
        yield found


@pytest.fixture(scope="module")
def bearer(home: Path, port: int) -> bytes:
    token = create_token(load_settings(home), "scanner", "scanner", "FarmMSP")
    return f"Authorization: Bearer {token}\r\n".encode()


def healthy(port: int) -> bool:
    return statuses(exchange(port, b"GET /health HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")) == [200]


# --- heads


@pytest.mark.parametrize(
    ("pieces", "status", "limit"),
    [
        ([b"GET /health HTTP/1.1\r\n", HOST, b"X: ", *[b"a" * 100_000] * 50], 431, b"65536 bytes"),
        ([b"GET /health HTTP/1.1\r\n", HOST, *[b"a" * 100_000] * 50], 431, b"65536 bytes"),
        ([b"GET /health HTTP/1.1\r\n", HOST, b"X: " + b"a" * 70_000 + b"\r\n\r\n"], 431, b"65536 bytes"),
        ([b"GET /health HTTP/1.1\r\n", HOST, b"".join(b"X%d: a\r\n" % n for n in range(50_000))], 431, b"100 headers"),
        ([b"GET /" + b"a" * 5_000_000], 414, b"32768 bytes"),
        ([b"GET /health?" + b"a" * 33_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"], 414, b"32768 bytes"),
    ],
    ids=["endless value", "endless name", "long value", "many headers", "endless path", "long query"],
)
def test_a_head_has_a_limit_and_is_told_which(port: int, pieces: list[bytes], status: int, limit: bytes) -> None:
    answer = exchange(port, *pieces)
    assert statuses(answer) == [status]
    assert limit in answer
    assert b"application/problem+json" in answer
    assert healthy(port)


def test_no_more_of_an_endless_header_is_kept_than_its_limit(port: int) -> None:
    """It ends within a moment, not when the sender has had enough."""
    with connect(port) as connection:
        send(connection, b"GET /health HTTP/1.1\r\n", HOST, b"X: ")
        sent = 0
        while send(connection, b"a" * 65536):
            sent += 65536
            assert sent < 2**30, "still taken"
            assert healthy(port) or sent
            if sent > 2**22:  # thrown away for a moment, then closed
                until(lambda: not send(connection, b"a"))


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\n" + CLOSE + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n" + CLOSE + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: pages.example\r\n" + CLOSE + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost.pages.example:8700\r\n" + CLOSE + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: \r\n" + CLOSE + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: [::1\r\n" + CLOSE + b"\r\n",
        b"GET http://pages.example/health HTTP/1.1\r\nHost: localhost\r\n" + CLOSE + b"\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /health\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300,
        b"GET /health HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    ],
)
def test_refused_heads(port: int, head: bytes) -> None:
    answer = exchange(port, head)
    assert statuses(answer) == [400], answer
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    "name", [b"localhost", b"LOCALHOST:1", b"127.0.0.1", b"[::1]:8700", b"192.0.2.7:80", b"localhost."]
)
def test_names_that_are_ours(port: int, name: bytes) -> None:
    assert statuses(exchange(port, b"GET /health HTTP/1.1\r\nHost: " + name + b"\r\n" + CLOSE + b"\r\n")) == [200]


def test_the_last_version_needs_no_name(port: int) -> None:
    assert statuses(exchange(port, b"GET /health HTTP/1.0\r\n\r\n")) == [200]


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_upgrades_are_ignored(port: int, upgrade: bytes) -> None:
    answer = exchange(
        port, b"GET /health HTTP/1.1\r\n", HOST, b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n\r\n"
    )
    assert statuses(answer) == [200]


@pytest.mark.parametrize(
    "length", [b"0" * 5000 + b"2", b"9" * 5000, b"18446744073709551616", b"+2", b"-1", b"9223372036854775807"]
)
@pytest.mark.parametrize("known", [True, False])
def test_lengths_nobody_could_send(port: int, bearer: bytes, length: bytes, known: bool) -> None:
    """Not even a scanner; and a stranger learns nothing of it either."""
    head = b"POST /capture HTTP/1.1\r\n" + HOST + JSON + (bearer if known else b"")
    answer = exchange(port, head + b"Content-Length: " + length + b"\r\n\r\n{}")
    assert statuses(answer)[0] in (400, 413) if known else (400, 401)
    assert healthy(port)


# --- bodies


def chunks(size: int, number: int) -> bytes:
    return (b"%x\r\n" % size + b" " * size + b"\r\n") * number


@pytest.mark.parametrize(
    "body",
    [chunks(1, 500_000), b"2;x=" + b"a" * 3_000_000, b"0\r\n" + b"X: a\r\n" * 200_000, b"0\r\nX: " + b"a" * 3_000_000],
    ids=["one byte a chunk", "extension of a chunk", "headers behind the body", "endless header behind the body"],
)
def test_what_is_around_a_body_has_a_limit(port: int, bearer: bytes, body: bytes) -> None:
    head = b"POST /capture HTTP/1.1\r\n" + HOST + JSON + bearer + b"Transfer-Encoding: chunked\r\n\r\n"
    assert statuses(exchange(port, head, body)) == [400]
    assert healthy(port)


def test_honest_chunks_are_taken(port: int, bearer: bytes) -> None:
    head = b"POST /capture HTTP/1.1\r\n" + HOST + JSON + CLOSE + bearer + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = exchange(port, head + chunks(400, 70) + b"0\r\n\r\n")
    assert b"not JSON" in answer


def test_headers_behind_a_body_say_nothing(port: int, bearer: bytes) -> None:
    """Else they could be another's, put behind the checks of a proxy."""
    head = b"POST /capture HTTP/1.1\r\n" + HOST + JSON + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    assert statuses(exchange(port, head + b"2\r\n{}\r\n0\r\n" + bearer + b"\r\n")) == [401]


# --- time


@pytest.mark.parametrize("sent", [b"GET /hea", b"GET /health HTTP/1.1\r\n" + HOST, b"\r\n"])
def test_a_head_that_does_not_end_is_closed(port: int, sent: bytes) -> None:
    answer = exchange(port, sent)
    assert statuses(answer) in ([408], [])
    assert (b"within 1 s" in answer) or sent == b"\r\n"


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    assert exchange(port) == b""


def test_a_head_by_drops_is_closed(port: int) -> None:
    """Each byte in time, all of them not."""
    with connect(port) as connection:
        send(connection, b"GET /health HTTP/1.1\r\n")
        connection.settimeout(0.2)
        answer = b""
        for _ in range(100):
            with contextlib.suppress(TimeoutError, ConnectionError):
                answer += connection.recv(1000)
            if answer or not send(connection, b"X"):
                break
    assert statuses(answer) == [408]


@pytest.mark.parametrize("known", [True, False])
def test_a_body_that_does_not_come_is_closed(port: int, bearer: bytes, known: bool) -> None:
    head = b"POST /capture HTTP/1.1\r\n" + HOST + JSON + (bearer if known else b"") + b"Content-Length: 200\r\n\r\n{"
    answer = exchange(port, head)
    assert statuses(answer) == [408 if known else 401]
    assert healthy(port)


def test_a_second_request_has_its_own_time_and_limits(port: int) -> None:
    with connect(port) as connection:
        for _ in range(3):
            send(connection, GET_HEALTH)
            assert statuses(one_answer(connection)) == [200]
        send(connection, b"GET /health HTTP/1.1\r\nX: " + b"a" * 100_000)
        assert statuses(received(connection)) == [431]


def test_nonsense_behind_a_good_request_does_not_take_its_answer(port: int) -> None:
    answer = exchange(port, GET_HEALTH + b"GET /health HTTP/1.1\r\nX: " + b"a" * 100_000)
    assert statuses(answer) in ([200], [200, 431])


def test_pipelined_requests_are_all_answered(port: int) -> None:
    last = b"GET /health HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n"
    assert statuses(exchange(port, GET_HEALTH * 200 + last)) == [200] * 201


def test_who_does_not_read_his_answers_is_let_go(port: int) -> None:
    with connect(port) as connection:
        send(connection, (b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n") * 200)
        until(lambda: not send(connection, b"GET"))
    assert healthy(port)


# --- number


def test_half_open_connections_keep_nobody_out(port: int) -> None:
    with contextlib.ExitStack() as held:
        opened = [held.enter_context(connect(port)) for _ in range(120)]
        for connection in opened:
            send(connection, b"GET /health HTTP/1.1\r\nX: ")
        assert healthy(port)
        open_still = sum(not _ended(connection) for connection in opened)
        assert open_still <= 40
        until(lambda: all(_ended(connection) for connection in opened))
    assert healthy(port)


def _ended(connection: socket.socket) -> bool:
    """Whether the other side has closed it, as far as can be seen without waiting."""
    connection.setblocking(False)
    try:
        return connection.recv(1) is not None
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_refusals_are_counted(port: int) -> None:
    exchange(port, b"nonsense\r\n\r\n")
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'lotline_http_requests_total{method="other",route="(refused)",status="400"}' in text


# --- HEAD


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/parties", "/nothing"])
def test_head_is_what_get_is_without_a_body(port: int, bearer: bytes, path: str) -> None:
    url = f"http://127.0.0.1:{port}{path}"
    headers = {"Authorization": bearer.decode().strip().partition(": ")[2]}
    with httpx.Client(headers=headers) as client:  # one connection: a body would be taken for the next answer
        got, head, after = client.get(url), client.head(url), client.get(url)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert abs(int(head.headers["content-length"]) - len(got.content)) < 20
    assert after.status_code == got.status_code


def test_nobody_may_show_an_answer_as_part_of_a_page(port: int) -> None:
    headers = httpx.get(f"http://127.0.0.1:{port}/health").headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
