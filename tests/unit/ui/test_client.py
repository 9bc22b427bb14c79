"""The dashboard's client: words for every failure, all pages of a list."""

from __future__ import annotations

import httpx
import pytest

from ui.client import Api, ApiError, path_of


def api(answer: httpx.Response | Exception) -> Api:
    def reply(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    made = Api("http://127.0.0.1:1", "token")
    made._http = httpx.Client(transport=httpx.MockTransport(reply), base_url=made.url)
    return made


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(403, json={"title": "Forbidden", "detail": "scanners cannot"}), "Forbidden: scanners cannot"),
        (httpx.Response(502, text="<html>"), "answered 502"),
        (httpx.Response(500, json=["no problem document"]), "answered 500"),
        (httpx.Response(404, json={"status": 404}), "answered 404"),
        (httpx.Response(401, json={"title": "A token is needed"}), "Sign in again"),
        (httpx.Response(200, text="<html>some other server</html>"), "not Lotline's API"),
        (httpx.ConnectError("refused"), "does not answer"),
        (httpx.ReadTimeout("slow"), "does not answer"),
    ],
)
def test_failures_in_words(answer: httpx.Response | Exception, says: str) -> None:
    with pytest.raises(ApiError, match=says):
        api(answer).get("/overview")


@pytest.mark.parametrize(
    ("url", "token", "says"),
    [
        ("http://127.0.0.1:port", "t", "LOTLINE_API_URL"),
        ("http://127.0.0.1:1", "tökén", "no token"),
        ("127.0.0.1:1", "t", "127.0.0.1:1"),
    ],
)
def test_a_wrong_setting_is_named(url: str, token: str, says: str) -> None:
    with pytest.raises(ApiError, match=says):
        Api(url, token).get("/overview")


def test_no_more_is_read_than_was_asked_for() -> None:
    asked: list[int] = []

    def reply(request: httpx.Request) -> httpx.Response:
        size = int(request.url.params["perPage"])
        asked.append(size)
        return httpx.Response(200, json={"items": [0] * size, "next": "more"})

    made = Api("http://127.0.0.1:1", "token")
    made._http = httpx.Client(transport=httpx.MockTransport(reply), base_url=made.url)
    assert len(made.everything("/handoffs", 700)) == 700
    assert asked == [500, 200]


def test_every_page_is_read() -> None:
    pages = {None: {"items": [1, 2], "next": "a"}, "a": {"items": [3], "next": None}}

    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[request.url.params.get("nextPageToken")])

    made = Api("http://127.0.0.1:1", "token")
    made._http = httpx.Client(transport=httpx.MockTransport(reply), base_url=made.url)
    assert made.everything("/handoffs") == [1, 2, 3]


def test_identifiers_are_escaped_whole() -> None:
    assert (
        path_of("things", "https://id.gs1.org/01/1/10/a?b#c")
        == "/things/https%3A%2F%2Fid.gs1.org%2F01%2F1%2F10%2Fa%3Fb%23c"
    )
