"""What the read model needs to know of an identifier, read off its canonical Digital Link.

The ledger holds canonical links only, so this looks at their shape and validates nothing; parsing for people
is :mod:`epcis`'s work.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Literal, NamedTuple

Kind = Literal["instance", "lot", "product", "class"]

_GTIN = "https://id.gs1.org/01/"
_SSCC = "https://id.gs1.org/00/"
_LONGEST = 300


class Description(NamedTuple):
    """The kind of a thing and the identifiers above it: its product (GTIN) and its lot, where it says
    them."""

    kind: Kind
    product: str | None
    lot: str | None


@lru_cache(maxsize=32_768)  # each thing is met many times over, mostly close together
def describe(uri: str, *, is_class: bool) -> Description:
    """Describe a thing by its identifier; ``is_class`` is the role it was seen in, for those that do not
    tell.

    describe("https://id.gs1.org/01/09506000134352/10/L7", is_class=True)
    Description("lot", "https://id.gs1.org/01/09506000134352", None)
    """
    if not uri.startswith(_GTIN):
        if uri.startswith(_SSCC):
            return Description("instance", None, None)
        return Description("class" if is_class else "instance", uri if is_class else None, None)
    gtin, *rest = uri[len(_GTIN) :].split("/")
    product = _GTIN + gtin
    qualifiers = dict(zip(rest[::2], rest[1::2], strict=False))
    batch = qualifiers.get("10")
    lot = f"{product}/10/{batch}" if batch is not None else None
    if "21" in qualifiers or "235" in qualifiers:
        return Description("instance", product, lot)
    if lot is not None:
        return Description("lot", product, None if uri == lot else lot)
    return Description("product" if uri == product else "class", product, None)


def clean(text: str) -> str:
    """A text both databases can store and index, itself in all but hostile cases.

    PostgreSQL refuses NUL in text and index entries above 2.7 kB; without this, one long URI in an accepted
    event would stop the projector for ever. The event itself is stored whole.
    """
    if len(text) <= _LONGEST and "\x00" not in text:
        return text
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if len(text) <= _LONGEST:
        return text
    return text[: _LONGEST - 65] + "…" + sha256(text.encode()).hexdigest()


def hash_hex(uri: str) -> str:
    """The hex digest of an event's ``ni:///sha-256;…`` identity (or of one already in hex)."""
    return uri.partition(";")[2].partition("?")[0] or uri
