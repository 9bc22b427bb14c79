"""One GS1 identifier, whatever it was written as."""

from __future__ import annotations

from dataclasses import dataclass

from epcis.identifiers.check_digit import has_valid_check_digit
from epcis.identifiers.escapes import for_link

CANONICAL_BASE = "https://id.gs1.org"

# AI of the key -> how many of its leading digits end with a check digit (absent: it has none).
CHECKED_DIGITS = {
    "00": 18, "01": 14, "253": 13, "255": 13, "402": 17, "414": 13, "417": 13,
    "8003": 14, "8006": 14, "8017": 18, "8018": 18,
}  # fmt: skip
# Keys that name one thing by themselves, without a qualifier.
_INSTANCE_KEYS = frozenset({"00", "401", "402", "414", "417", "8004", "8017", "8018"})
_INSTANCE_QUALIFIERS = frozenset({"21", "235", "254", "8011"})
# Keys whose serial follows the checked digits without a qualifier of its own.
_SERIAL_INSIDE = frozenset({"253", "255", "8003"})


@dataclass(frozen=True, slots=True)
class Identifier:
    """A GS1 key with the qualifier that says most, and whatever else was said with it.

    ``scheme`` is the name EPC URNs give it, plus ``gtin`` (a product without lot or serial) and ``lgtin``
    (a lot). ``key`` is the value of the key's application identifier ``ai``, with check digit: a GTIN always
    has 14 digits. ``qualifier`` is the decoded value of ``qualifier_ai`` (lot, serial, extension).
    """

    scheme: str
    ai: str
    key: str
    qualifier_ai: str = ""
    qualifier: str = ""
    said: tuple[tuple[str, str], ...] = ()
    """Every qualifier that was given, in GS1's order, where that is more than the one that says most: an item's lot."""
    attributes: tuple[tuple[str, str], ...] = ()
    """What else was said of it: dates, measures."""

    @property
    def canonical(self) -> str:
        """The Digital Link on ``https://id.gs1.org`` that is its identity: the most exact level only."""
        link = f"{CANONICAL_BASE}/{self.ai}/{for_link(self.key)}"
        return f"{link}/{self.qualifier_ai}/{for_link(self.qualifier)}" if self.qualifier_ai else link

    @property
    def whole(self) -> str:
        """The Digital Link on ``https://id.gs1.org`` that says all that was said: what is stored."""
        if not self.said and not self.attributes:
            return self.canonical
        path = "".join(f"/{ai}/{for_link(value)}" for ai, value in ((self.ai, self.key), *self.qualifiers))
        query = "&".join(f"{ai}={for_link(value)}" for ai, value in self.attributes)
        return f"{CANONICAL_BASE}{path}?{query}" if query else CANONICAL_BASE + path

    @property
    def qualifiers(self) -> tuple[tuple[str, str], ...]:
        """(AI, value) of every qualifier, in GS1's order."""
        return self.said or (((self.qualifier_ai, self.qualifier),) if self.qualifier_ai else ())

    @property
    def gtin(self) -> str | None:
        """The 14 digits of the product, for items, lots, pieces and products."""
        return self.key[:14] if self.ai in ("01", "8006") else None

    @property
    def lot(self) -> str | None:
        """The lot that was named, also where it is that of an item."""
        return next((value for ai, value in self.qualifiers if ai == "10"), None)

    @property
    def lot_link(self) -> str | None:
        """The canonical link of that lot."""
        return f"{CANONICAL_BASE}/01/{self.gtin}/10/{for_link(self.lot)}" if self.lot and self.gtin else None

    @property
    def serial(self) -> str | None:
        if self.qualifier_ai in ("21", "235", "8011"):
            return self.qualifier
        if self.ai in _SERIAL_INSIDE:
            return self.key[CHECKED_DIGITS[self.ai] :] or None
        return None

    @property
    def is_instance(self) -> bool:
        """Whether it names one thing (or one place or party) and not a kind of things."""
        if self.ai in _INSTANCE_KEYS or self.qualifier_ai in _INSTANCE_QUALIFIERS:
            return True
        return self.ai in _SERIAL_INSIDE and self.serial is not None

    @property
    def is_class(self) -> bool:
        """Whether it names a kind of things: a product, a lot, a type of asset."""
        return not self.is_instance

    @property
    def has_valid_check_digit(self) -> bool:
        """True as well where the key has no check digit."""
        digits = CHECKED_DIGITS.get(self.ai)
        return digits is None or has_valid_check_digit(self.key[:digits])
