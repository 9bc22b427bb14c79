"""How long a GS1 company prefix is: the table GS1 publishes, as bundled with biip."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=65536)
def published_prefix_length(digits: str) -> int | None:
    """The length of the company prefix that ``digits`` begin with; None when GS1 publishes none for them."""
    # Imported on first use: biip unpacks its table at import, and most programs never render a URN.
    from biip import ParseError
    from biip.gs1_prefixes import GS1CompanyPrefix

    leading = "".join(character for character in digits[:12] if character.isdecimal())
    try:
        prefix = GS1CompanyPrefix.extract(leading)
    except ParseError:
        return None
    return len(prefix.value) if prefix is not None and len(prefix.value) >= 6 else None
