"""Under which names the server may be asked for."""

from __future__ import annotations

import pytest

from api.hosts import AllowedHosts
from instance.settings import HttpSettings


@pytest.mark.parametrize(
    "host",
    [
        "trace.example",
        "TRACE.example:443",
        "trace.example.",
        "localhost:80",
        "api",
        "10.1.2.3:8700",
        "[2001:db8::1]:80",
    ],
)
def test_ours(host: str) -> None:
    assert host in AllowedHosts(HttpSettings(allowed_hosts=("trace.example",)))


@pytest.mark.parametrize(
    "host",
    ["", ":80", ".", "pages.example", "a.trace.example", "trace.example.pages.example", "trace.example:80:80",
     "trace.example:x", "[::1", "[::1]x", "[trace.example", "trace.example@pages.example", "trace.example/", "127.0.0.1.pages.example", "-", "a b", "a%2e"],
)  # fmt: skip
def test_not_ours(host: str) -> None:
    assert host not in AllowedHosts(HttpSettings(allowed_hosts=("trace.example",)))


def test_any() -> None:
    assert "pages.example" in AllowedHosts(HttpSettings(allowed_hosts=("*",)))
