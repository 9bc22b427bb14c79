"""An identifier that was said with more than makes its identity."""

from __future__ import annotations

from epcis.identifiers.identifier import Identifier


class Spelled(str):
    """A canonical link, as which it compares, hashes and is written; ``said`` is the link to be stored instead.

    The lot of an item, a product's variant or a date in the link do not make another thing of it, and must not get
    lost: ``said`` has all of it. ``lot`` is the canonical link of the lot that was named, if one was.

    >>> item = spelled(parse("https://id.gs1.org/01/04012345111118/10/L/21/S"))
    >>> str(item), item.lot
    ('https://id.gs1.org/01/04012345111118/21/S', 'https://id.gs1.org/01/04012345111118/10/L')
    """

    __slots__ = ("lot", "said")
    said: str
    lot: str | None

    def __new__(cls, canonical: str, said: str, lot: str | None = None) -> Spelled:
        made = super().__new__(cls, canonical)
        made.said, made.lot = said, lot
        return made

    def __getnewargs__(self) -> tuple[str, str, str | None]:  # type: ignore[override]
        return str(self), self.said, self.lot


def spelled(identifier: Identifier) -> str:
    """The canonical link of ``identifier``, which remembers what else was said."""
    canonical = identifier.canonical
    if not identifier.said and not identifier.attributes:
        return canonical
    is_of_lot = identifier.qualifier_ai != "10"
    return Spelled(canonical, identifier.whole, identifier.lot_link if is_of_lot else None)


def said(uri: str) -> str:
    """What is stored of an identifier."""
    return uri.said if isinstance(uri, Spelled) else uri
