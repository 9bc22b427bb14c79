"""Identifiers, times and numbers as people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+!|<>~$:&-]")
_NUMBERED = re.compile(r"^(\d+)\.")
# Addresses become links even where every sign of them is escaped, and words between colons become icons.
_LINKED = re.compile(r":|www(?=\.)|(?=@)", re.IGNORECASE)
JOINER = "\u2060"
"""A sign without width, that keeps what it is put into from being recognised."""
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PATH = re.compile(r"^https://id\.gs1\.org/(\d{2,4})/([^/]+)(?:/(\d{2,4})/([^/?#]+))?")
LINK = re.compile(r"https://id\.gs1\.org/\S+?(?=[,.;:]?(?:\s|$|\)))")
_KEYS = {"00": "SSCC", "01": "GTIN", "414": "GLN", "417": "PGLN", "8003": "GRAI", "8004": "GIAI", "253": "GDTI"}
_QUALIFIERS = {"10": "lot", "21": "serial", "254": "ext"}
_UNITS = {
    "KGM": "kg",
    "GRM": "g",
    "TNE": "t",
    "LTR": "l",
    "MLT": "ml",
    "MTR": "m",
    "MTK": "m²",
    "MTQ": "m³",
    "LBR": "lb",
}
_ALONE = ("00", "253", "8003", "8004")
SEVERITIES = {"high": ":red-badge[high]", "medium": ":orange-badge[medium]", "low": ":gray-badge[low]"}
"""In Markdown; tables have the bare word."""
FLOWS = {
    "produced": "produced",
    "shipped": "shipped",
    "received": "received",
    "sold": "sold",
    "consumed": "used up",
    "removed": "taken out",
}


def short(identifier: str | None) -> str:
    """A Digital Link without its address: ``GTIN 09524… · lot L7``."""
    if not identifier:
        return "–"
    found = _PATH.match(identifier)
    if found is None:
        return identifier.rpartition("/")[2] or identifier
    key, value, qualifier, detail = found.groups()
    text = f"{_KEYS.get(key, key)} {value}"
    return f"{text} · {_QUALIFIERS.get(qualifier, qualifier)} {detail}" if qualifier else text


def tail(identifier: str | None) -> str:
    """The shortest that still tells things apart: a lot's number, a pallet's last digits."""
    found = _PATH.match(identifier or "")
    if found is None:
        return short(identifier)
    key, value, _, detail = found.groups()
    return detail if detail else f"{_KEYS.get(key, key)} …{value[-6:]}"


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line: names come from other organisations, and an image in one would call
    home. Signs that turn the direction of reading are left out."""
    line = " ".join(_UNSEEN.sub("", text).split())
    return _LINKED.sub(rf"\g<0>{JOINER}", _NUMBERED.sub(r"\1\.", _MARKDOWN.sub(r"\\\g<0>", line)))


def is_traceable(identifier: str) -> bool:
    """Whether it names things that move, not a kind of them: a lot, a serial number, a pallet."""
    found = _PATH.match(identifier)
    return found is not None and (found.group(1) in _ALONE or found.group(3) in ("10", "21"))


def listed(identifiers: list[str], most: int = 4) -> str:
    """Some of them in short."""
    return ", ".join(tail(identifier) for identifier in identifiers[:most]) + (" …" if len(identifiers) > most else "")


def hash_text(event: str | None) -> str:
    """The first digits of an event's hash."""
    return (event or "").partition(";")[2][:12] or "–"


def moment(text: str | None) -> datetime | None:
    """A time of the API, aware."""
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def day(text: str | None) -> str:
    """A time as day and minute, UTC."""
    when = moment(text)
    return "–" if when is None else when.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def days_between(earlier: str | None, later: str | None) -> float | None:
    """Days from one time to another."""
    start, end = moment(earlier), moment(later)
    return None if start is None or end is None else round((end - start).total_seconds() / 86_400, 1)


def number(value: float | None) -> str:
    """With thousands separated, and decimals only where there are any."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def exact(value: float) -> str:
    """A number with all its digits and no separators, for machines."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def quantity(value: float | None, uom: str | None) -> str:
    """An amount with its unit: ``270 kg``, ``1 piece``."""
    if value is None:
        return "–"
    return f"{number(value)} {unit(uom, one=value == 1)}"


def unit(uom: str | None, *, one: bool = False) -> str:
    """A unit of measure as people write it; without one, pieces are counted."""
    if uom in (None, "", "H87"):  # UN/ECE's code of a piece
        return "piece" if one else "pieces"
    return _UNITS.get(uom or "", uom or "")


def goods(lines: list[dict[str, Any]]) -> str:
    """What a handoff carries: its products, or how many of them there are, and how much in all."""
    if not lines:
        return "–"
    totals: dict[str | None, float] = {}
    for line in lines:
        totals[line["uom"]] = totals.get(line["uom"], 0.0) + (line["released"] or line["accepted"] or 0.0)
    amount = " + ".join(quantity(total, uom) for uom, total in totals.items())
    products = {line["product"] for line in lines}
    return f"{amount} of {tail(next(iter(products))) if len(products) == 1 else f'{len(products)} products'}"


def count(number_of: int, noun: str) -> str:
    """``1 event``, ``2 events``."""
    return f"{number_of:,} {noun}" if number_of == 1 else f"{number_of:,} {noun}s"


def reference(text: str | None) -> str:
    """A business document's number without its urn."""
    return "–" if not text else text.rpartition(":")[2].rpartition("/")[2]
