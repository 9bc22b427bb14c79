"""How the characters of a serial, lot or extension are written inside URNs and Digital Links."""

from __future__ import annotations

import re
from urllib.parse import unquote

from epcis.identifiers.errors import InvalidIdentifier

# Character set 82 of the GS1 General Specifications (figure 7.11-1).
_SET_82 = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+", re.ASCII)
_PLAIN = re.compile(r"[0-9A-Za-z._\-'=;]+", re.ASCII)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_LINK = re.compile(r"[^0-9A-Za-z._\-'=;]", re.ASCII)
_NOT_IN_URN = re.compile(r"[\"%&/<>?#]")


def decode(text: str, longest: int) -> str:
    """The characters meant by a percent-encoded ``text``; at most ``longest`` of them.

    Raises:
        InvalidIdentifier: it is empty, too long, or has characters that no GS1 element may have.
    """
    plain = text
    if not _PLAIN.fullmatch(text):
        if _BROKEN_ESCAPE.search(text):
            raise InvalidIdentifier(f"broken percent-encoding in {text!r}")
        plain = unquote(text)
        if not _SET_82.fullmatch(plain):
            raise InvalidIdentifier(f"{text!r} is empty or holds characters outside GS1 character set 82")
    if len(plain) > longest:
        raise InvalidIdentifier(f"{text!r} is longer than {longest} characters")
    return plain


def for_link(plain: str) -> str:
    """``plain`` as a path segment of a canonical Digital Link (GS1 Digital Link: URI Syntax, table 7-1)."""
    return _NOT_IN_LINK.sub(_percent, plain)


def for_urn(plain: str) -> str:
    """``plain`` as a component of an EPC URN (EPC Tag Data Standard, table A-1)."""
    return _NOT_IN_URN.sub(_percent, plain)


def _percent(match: re.Match[str]) -> str:
    return f"%{ord(match.group()):02X}"
