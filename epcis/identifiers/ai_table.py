"""The GS1 application identifiers: which there are, what the value of each looks like, and which stand together.

``application_identifiers.json`` has the rules of GS1's Barcode Syntax Dictionary (https://ref.gs1.org/tools/gs1-barcode-syntax-resource/,
Apache-2.0), each with the AIs that it holds for: the form of the value with the tests of its parts (``linters``), ``fixed`` where no
separator has to follow, ``needs``: of each list one must stand beside it (``01+21``: both), ``excludes``: what must not (``own``: AIs that
differ in the last digit only; ``n`` is any digit). ``N`` is digits, ``X`` character set 82, ``Y`` set 39, ``Z`` base64url; ``..`` means "up to", brackets "may be left out".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from epcis.identifiers.linters import LINTERS

_CHARACTERS = {
    "N": "[0-9]",
    "X": r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]",
    "Y": r"[#\-/0-9A-Z]",
    "Z": r"[0-9A-Za-z_\-=]",
}
_COMPONENT = re.compile(r"(\[?)([NXYZ])(\.\.)?([0-9]+)((?:,[a-z0-9]+)*)\]?")
_SHORTEST_AI, _LONGEST_AI = 2, 4


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a value."""

    kind: str
    shortest: int
    longest: int
    is_optional: bool
    linters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Syntax:
    """What the dictionary says of an AI."""

    ai: str
    form: str
    """In words: ``N6``, ``X..20``."""
    components: tuple[Component, ...]
    ends_by_length: bool
    """Its length is known by its first digits, so that no separator (FNC1) has to follow it."""
    requires: tuple[tuple[tuple[str, ...], ...], ...]
    """Of each group one alternative must be there, all of whose patterns (``310n``) are met."""
    excludes: tuple[str, ...]
    """Patterns of AIs that must not be there."""

    @property
    def longest(self) -> int:
        """The characters of the longest value."""
        return sum(component.longest for component in self.components)


@cache
def _table() -> dict[str, Syntax]:
    """Read on first use: most programs never meet an element string."""
    rules = json.loads((files("epcis.identifiers") / "application_identifiers.json").read_bytes())
    return {ai: _syntax(ai, rule) for rule in rules for entry in rule["ais"].split() for ai in _span(entry)}


def _span(entry: str) -> list[str]:
    first, _, last = entry.partition("-")
    return [str(number).zfill(len(first)) for number in range(int(first), int(last or first) + 1)]


def _syntax(ai: str, rule: dict[str, Any]) -> Syntax:
    specified = rule["value"].split()
    components = tuple(_component(word) for word in specified)
    return Syntax(
        ai=ai,
        form=" ".join(re.sub(",[a-z0-9]+", "", word) for word in specified),
        components=components,
        ends_by_length=rule.get("fixed", False),
        requires=tuple(tuple(tuple(one.split("+")) for one in group.split(",")) for group in rule.get("needs", ())),
        excludes=tuple(ai[:-1] + "n" if one == "own" else one for one in rule.get("excludes", "").split()),
    )


def _component(word: str) -> Component:
    match = _COMPONENT.fullmatch(word)
    assert match is not None
    optional, kind, up_to, length, linters = match.groups()
    names = tuple(linters.split(",")[1:])
    return Component(kind, 1 if up_to else int(length), int(length), bool(optional), names)


def is_known(ai: str) -> bool:
    """Whether GS1 has such an application identifier."""
    return ai in _table()


def syntax_of(ai: str) -> Syntax:
    """What the dictionary says of a known AI."""
    return _table()[ai]


def ai_at(text: str, at: int) -> str | None:
    """The AI that stands at a position: none is the beginning of another."""
    table = _table()
    candidates = (text[at : at + length] for length in range(_SHORTEST_AI, _LONGEST_AI + 1))
    return next((ai for ai in candidates if ai in table), None)


@cache
def _pattern(ai: str) -> re.Pattern[str]:
    parts = []
    for part in syntax_of(ai).components:
        count = f"{{{part.shortest},{part.longest}}}"
        text = f"({_CHARACTERS[part.kind]}{count})"
        parts.append(f"(?:{text})?" if part.is_optional else text)
    return re.compile("".join(parts))


def _full(ai: str, value: str) -> str:
    """A GTIN may be written with 8, 12 or 13 digits."""
    return value.zfill(14) if ai == "01" and len(value) in (8, 12, 13) else value


def fits(ai: str, value: str) -> bool:
    """Whether ``value`` has the form of ``ai``'s values. A GTIN may be written with 8, 12 or 13 digits."""
    return is_known(ai) and _pattern(ai).fullmatch(_full(ai, value)) is not None


def fault_of(ai: str, value: str) -> str | None:
    """What the dictionary's tests find wrong in a value that has the right form: its parts' check digits, dates and the like."""
    match = _pattern(ai).fullmatch(_full(ai, value))
    assert match is not None
    for component, part in zip(syntax_of(ai).components, match.groups(), strict=True):
        for name in component.linters if part is not None else ():
            if name in LINTERS and (fault := LINTERS[name](part)) is not None:
                return fault
    return None


def form_of(ai: str) -> str:
    """The format in words: ``N6``, ``X..20``."""
    return syntax_of(ai).form


def company_fault(ais: list[str]) -> str | None:
    """What is wrong with a set of AIs: one that needs another, two that exclude one another."""
    for ai in ais:
        syntax, others = syntax_of(ai), [other for other in ais if other != ai]
        for pattern in syntax.excludes:
            if (found := next((other for other in others if _meets(other, pattern)), None)) is not None:
                return f"({ai}) and ({found}) cannot stand on one label"
        for group in syntax.requires:
            if not any(all(any(_meets(o, pattern) for o in others) for pattern in wanted) for wanted in group):
                wanted_text = " or ".join("+".join(f"({one})" for one in wanted) for wanted in group)
                return f"({ai}) says something of {wanted_text}, which is not there"
    return None


def _meets(ai: str, pattern: str) -> bool:
    return len(ai) == len(pattern) and all(p in ("n", a) for a, p in zip(ai, pattern, strict=True))
