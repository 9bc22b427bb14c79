"""The GS1 application identifiers: which there are, and what the value of each looks like.

``application_identifiers.json`` is made of GS1's Barcode Syntax Dictionary (Apache-2.0): formats, and which AIs have them.
``N`` is digits, ``X`` character set 82, ``Y`` set 39, ``Z`` base64url; ``..`` means "up to", brackets "may be left out".
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

_CHARACTERS = {
    "N": "[0-9]",
    "X": r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]",
    "Y": r"[#\-/0-9A-Z]",
    "Z": r"[0-9A-Za-z_\-=]",
}
_COMPONENT = re.compile(r"(\[?)([NXYZ])(\.\.)?([0-9]+)\]?")


@cache
def _formats() -> dict[str, str]:
    """AI -> format. Read on first use: most programs never meet an element string."""
    table = json.loads((files("epcis.identifiers") / "application_identifiers.json").read_text("utf-8"))
    return {ai: form for form, listed in table.items() for entry in listed.split() for ai in _span(entry)}


def _span(entry: str) -> list[str]:
    first, _, last = entry.partition("-")
    return [str(number).zfill(len(first)) for number in range(int(first), int(last or first) + 1)]


def is_known(ai: str) -> bool:
    """Whether GS1 has such an application identifier."""
    return ai in _formats()


@cache
def _pattern(form: str) -> re.Pattern[str]:
    parts = []
    for optional, kind, up_to, length in _COMPONENT.findall(form):
        part = _CHARACTERS[kind] + (f"{{1,{length}}}" if up_to else f"{{{length}}}")
        parts.append(f"(?:{part})?" if optional else part)
    return re.compile("".join(parts))


def fits(ai: str, value: str) -> bool:
    """Whether ``value`` has the form of ``ai``'s values. A GTIN may be written with 8, 12 or 13 digits."""
    form = _formats().get(ai)
    if form is None:
        return False
    if ai == "01" and len(value) in (8, 12, 13):
        value = value.zfill(14)
    return _pattern(form).fullmatch(value) is not None


def form_of(ai: str) -> str:
    """The format in words: ``N6``, ``X..20``."""
    return _formats()[ai]
