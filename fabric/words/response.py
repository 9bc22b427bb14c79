"""What a contract answers."""

from __future__ import annotations

from dataclasses import dataclass

OK = 200


@dataclass(frozen=True)
class Response:
    """Status (below 400: success), a message for people where it is not, and the payload."""

    status: int
    message: str = ""
    payload: bytes = b""


def ok(payload: bytes = b"") -> Response:
    """A success."""
    return Response(OK, payload=payload)


def error(status: int, message: str, payload: bytes = b"") -> Response:
    """A refusal (4xx) or a failure of the contract itself (5xx)."""
    return Response(status, message, payload)
