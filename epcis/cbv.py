"""The Core Business Vocabulary 2.0: which words each field may use, and the web address that each stands for.

>>> BIZ_STEPS.iri("shipping")
'https://ref.gs1.org/cbv/BizStep-shipping'
>>> BIZ_STEPS.word("https://ref.gs1.org/cbv/BizStep-shipping")
'shipping'
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files


@dataclass(frozen=True)
class Vocabulary:
    """A closed list of words, each short for ``base + word``."""

    base: str
    words: frozenset[str]
    _iris: dict[str, str] = field(init=False, repr=False, compare=False)
    _words: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_iris", {word: self.base + word for word in self.words})
        object.__setattr__(self, "_words", {self.base + word: word for word in self.words})

    def __contains__(self, word: object) -> bool:
        return word in self.words

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.words))

    def iri(self, word: str) -> str:
        """The full address of ``word``; anything that is no word of this list is given back as it is."""
        return self._iris.get(word, word)

    def word(self, iri: str) -> str:
        """The word that ``iri`` stands for; anything else is given back as it is."""
        return self._words.get(iri, iri)


def _load() -> dict[str, Vocabulary]:
    lists = json.loads((files("epcis") / "cbv.json").read_text("utf-8"))
    return {name: Vocabulary(entry["iri"], frozenset(entry["words"])) for name, entry in lists.items()}


_LISTS = _load()
BIZ_STEPS = _LISTS["bizSteps"]
DISPOSITIONS = _LISTS["dispositions"]
BIZ_TRANSACTION_TYPES = _LISTS["bizTransactionTypes"]
SOURCE_DESTINATION_TYPES = _LISTS["sourceDestinationTypes"]
ERROR_REASONS = _LISTS["errorReasons"]
MEASUREMENT_TYPES = _LISTS["measurementTypes"]
SENSOR_ALERT_TYPES = _LISTS["sensorAlertTypes"]
COMPONENTS = _LISTS["components"]

# The URN form of CBV 1.x, which older systems still write into extensions.
_URN_BASES = {
    "urn:epcglobal:cbv:bizstep:": BIZ_STEPS.base,
    "urn:epcglobal:cbv:disp:": DISPOSITIONS.base,
    "urn:epcglobal:cbv:btt:": BIZ_TRANSACTION_TYPES.base,
    "urn:epcglobal:cbv:sdt:": SOURCE_DESTINATION_TYPES.base,
    "urn:epcglobal:cbv:er:": ERROR_REASONS.base,
}


def from_urn(value: str) -> str:
    """The web address of a CBV 1.x URN (``urn:epcglobal:cbv:disp:in_transit``); else ``value`` as it is."""
    for urn, base in _URN_BASES.items():
        if value.startswith(urn):
            return base + value[len(urn) :]
    return value
