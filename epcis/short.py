"""A SHA-256 in 43 characters: base64url (RFC 4648, 5) without padding."""

from __future__ import annotations

import binascii

_URL_SAFE, _PLAIN = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


def shortened(digest: bytes) -> str:
    """The 43 characters of 32 bytes."""
    return binascii.b2a_base64(digest, newline=False)[:-1].translate(_URL_SAFE).decode()


def lengthened(short: str) -> bytes:
    """The 32 bytes of 43 characters. Raises ValueError."""
    return binascii.a2b_base64(short.encode().translate(_PLAIN) + b"=")
