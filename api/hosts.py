"""Under which names this server may be asked for.

A page on the Internet can let its own name point to this machine, and a browser here then takes the server for part of
that page. Such a request carries the page's name: names that are not ours are refused. Addresses are always ours, and so
are names without a dot: no page on the Internet has one, and networks of machines and containers do.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence

import httptools

from instance.settings import HttpSettings

ANY = "*"
_SINGLE = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
_LONGEST = 300


class AllowedHosts:
    """Local names, this machine's own, and those that are configured (``*``: any)."""

    def __init__(self, settings: HttpSettings) -> None:
        names = (socket.gethostname(), settings.host, *settings.allowed_hosts)
        self._names = {name.lower().rstrip(".") for name in names}
        self._any = ANY in self._names

    def __contains__(self, host: str) -> bool:
        """Whether a Host header, with its port or without, names us."""
        name = _name(host)
        return name is not None and (self._any or name in self._names or _is_local(name))


def host_faults(
    headers: Sequence[tuple[bytes, bytes]], url: bytes, version: str, hosts: AllowedHosts
) -> Iterator[tuple[int, str]]:
    """What is wrong with the names in a request (RFC 9112, 3.2), as status and detail."""
    given = [value for name, value in headers if name == b"host"]
    if len(given) > 1 or (not given and version != "1.0"):
        yield 400, f"a request has one Host header, not {len(given)}"
        return
    named = [value.decode("latin-1") for value in given]
    if not url.startswith((b"/", b"*")):
        target = httptools.parse_url(url)
        if target.schema is not None and target.host is not None:
            named.append(target.host.decode("latin-1"))
    for name in named:
        if name not in hosts:
            yield 400, f"this server is not called {name[:_LONGEST]!r}; http.allowed_hosts names what it is called"


def _name(host: str) -> str | None:
    """The name alone, in small letters; None for what is none."""
    host = host.strip().lower()
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        return (
            name if bracket and (not port or (port[0] == ":" and port[1:].isascii() and port[1:].isdigit())) else None
        )
    if host.count(":") > 1:
        return host if _is_address(host) else None
    name, colon, port = host.partition(":")
    if colon and not (port.isascii() and (port.isdigit() or not port)):
        return None
    return name.rstrip(".") or None


def _is_local(name: str) -> bool:
    return _is_address(name) or _SINGLE.fullmatch(name) is not None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
