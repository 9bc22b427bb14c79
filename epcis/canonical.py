"""How single names and values are written in the canonical text that is hashed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from epcis import cbv
from epcis.context import Context
from epcis.identifiers import CANONICAL_BASE, canonical_or_same

_COMMENT = "{http://www.w3.org/2000/01/rdf-schema#}comment"
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,6}))?")
# A number beyond what a double can hold is written as it came: spelled out it might not fit in memory.
_LARGEST_EXPONENT = 400


@dataclass(frozen=True, slots=True)
class Version:
    """What differs between the versions of the algorithm."""

    name: str
    web_vocabulary: str
    """The namespace of GS1's web vocabulary, which words for measurements stand for."""
    lists_in_place: bool
    """Whether transactions, sources and destinations stand before the sensors, or among the extensions."""
    certification: bool
    """Whether ``certificationInfo`` is part of the text."""


def number_text(text: str) -> str:
    """``text`` without superfluous sign, zeros and exponent if it is a decimal number, else as it is."""
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return text
    if match[4] is not None:
        if abs(int(match[4])) > _LARGEST_EXPONENT:
            return text
        return number_text(format(Decimal(text), "f"))
    whole = match[2].lstrip("0") or "0"
    fraction = (match[3] or "").rstrip("0")
    number = f"{whole}.{fraction}" if fraction else whole
    return f"-{number}" if match[1] == "-" and number != "0" else number


class Canonical:
    """Writes names and values by the namespaces of one event and the rules of one version."""

    __slots__ = ("_context", "version")

    def __init__(self, context: Context, version: Version) -> None:
        self._context = context
        self.version = version

    def value(self, value: Any) -> str:
        """A text, number, truth value or null."""
        if isinstance(value, str):
            text = value.strip()
            return self._uri(text) if ":" in text else number_text(text)
        if isinstance(value, bool):
            return "true" if value else "false"
        return "null" if value is None else number_text(repr(value))

    def identifier(self, uri: str) -> str:
        """An identifier, which the event's model has made canonical if it is one of GS1's."""
        return uri if uri.startswith(CANONICAL_BASE) else self.value(uri)

    def word(self, vocabulary: cbv.Vocabulary, word: str) -> str:
        """A word of the Core Business Vocabulary as its web address, or another vocabulary's URI."""
        return vocabulary.iri(word) if word in vocabulary.words else self.value(word)

    def web_word(self, vocabulary: cbv.Vocabulary, word: str) -> str:
        """The same for a word of GS1's web vocabulary."""
        return self.version.web_vocabulary + word if word in vocabulary.words else self.value(word)

    def field(self, name: str, value: Any) -> str:
        """``name=value``, or nothing if there is no value."""
        text = "" if value is None else self.value(value)
        return f"{name}={text}" if text else ""

    def iri(self, name: str) -> str:
        """``prefix:name`` written out."""
        expanded = self._context.expand(name) if ":" in name else None
        return name if expanded is None else self._namespace(name, expanded[0]) + expanded[1]

    def name(self, name: str) -> str:
        """The name of an extension, as ``{namespace}name``."""
        expanded = self._context.expand(name)
        return name if expanded is None else f"{{{self._namespace(name, expanded[0])}}}{expanded[1]}"

    def members(self, members: dict[str, Any]) -> str:
        """The extensions of one element, sorted."""
        if not members:
            return ""
        texts: list[str] = []
        for name, value in members.items():  # a loop: what is nested deeply must not need many frames a level
            texts += self._named(self.name(name), value)
        return "".join(sorted(texts))

    def extension(self, name: str, value: Any) -> list[str]:
        """One extension as its texts: a list is one text for each of its elements."""
        return self._named(self.name(name), value)

    def _named(self, name: str, value: Any) -> list[str]:
        if name == _COMMENT:
            return []
        values = value if isinstance(value, list) else [value]
        if name.endswith("List") and values and isinstance(value, list | dict):
            # As in XML, where a list is one element that holds others named after it.
            children: list[str] = []
            for element in values:
                children += self._named(name[:-4], element)
            return [name + "".join(sorted(children))]
        texts = []
        for element in values:
            texts.append(name + self._content(element))  # noqa: PERF401 (a frame less a level)
        return texts

    def _content(self, value: Any) -> str:
        if isinstance(value, dict):
            return self.members(value)
        if isinstance(value, list):
            texts = []
            for element in value:
                texts.append(self._content(element))  # noqa: PERF401
            return "".join(sorted(texts))
        text = self.value(value)
        return f"={text}" if text else ""

    def _uri(self, text: str) -> str:
        return canonical_or_same(cbv.from_urn(self.iri(text)))

    def _namespace(self, name: str, namespace: str) -> str:
        return self.version.web_vocabulary if name.startswith("gs1:") else namespace
