"""Master data in a document: what its sender says of places, products and parties, by their identifiers.

It stands in ``epcisHeader.epcisMasterData`` of an EPCISDocument, or in the ``resultsBody`` of an EPCISQueryDocument,
as vocabularies: a type, and elements with an ``id``, ``attributes`` and ``children`` (EPCIS 2.0, 6.1.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from epcis.context import Context
from epcis.identifiers import Identifier, judge
from epcis.problems import Problem, pointer

Kind = Literal["product", "place", "party", "other"]

MAX_ELEMENTS = 5_000
MAX_ATTRIBUTES = 100
MAX_CHILDREN = 1_000
MAX_TEXT = 1_000
MAX_NAME = 200
MAX_BYTES = 512 * 1024
CHILDREN = "https://ref.gs1.org/epcis/children"
"""The attribute under which an element's children are kept, one after the other."""

# The last word of a vocabulary's type, whichever way its URI is written.
_KINDS: dict[str, Kind] = {
    "businesslocation": "place", "readpoint": "place", "location": "place", "sourcelocation": "place",
    "destinationlocation": "place", "epcclass": "product", "tradeitem": "product", "product": "product",
    "party": "party", "sourceparty": "party", "destinationparty": "party", "organization": "party",
    "owningparty": "party", "possessingparty": "party",
}  # fmt: skip
_KIND_OF_KEY: dict[str, Kind] = {"414": "place", "417": "party", "01": "product"}
# The last word of an attribute that is a name, the best one first.
_NAMES = (
    "name", "productname", "tradeitemname", "organizationname", "physicallocationname", "descriptionshort",
    "tradeitemdescription", "functionalname", "description", "descriptionlong",
)  # fmt: skip
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class MasterData:
    """What is said of one thing, place or party. ``attributes``: text by attribute URI."""

    id: str
    kind: Kind
    name: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As it travels to the ledger."""
        named = {} if self.name is None else {"name": self.name}
        return {"id": self.id, "kind": self.kind, **named, "attributes": self.attributes}


def read_master_data(document: Any, context: Context, problems: list[Problem]) -> list[MasterData]:
    """The master data of a document that has the form of one; its faults are added to ``problems``."""
    found: dict[str, MasterData] = {}
    for path, vocabularies in _vocabularies(document):
        for place, vocabulary in enumerate(vocabularies):
            for number, raw in enumerate(vocabulary.get("vocabularyElementList") or ()):
                where = (*path, place, "vocabularyElementList", number)
                fault = _fault(raw)
                if fault is not None:
                    problems.append(Problem(None, pointer(*where, fault[0]), *fault[1:]))
                    continue
                _add(found, _element(vocabulary["type"], raw, context))
                if len(found) > MAX_ELEMENTS:
                    problems.append(_too_much(path, f"more than {MAX_ELEMENTS} elements"))
                    return []
    elements = list(found.values())
    if len(orjson.dumps([element.to_dict() for element in elements])) > MAX_BYTES:
        problems.append(_too_much(("epcisHeader",), f"more than {MAX_BYTES} bytes"))
    return elements


def _vocabularies(document: Any) -> Iterator[tuple[_Path, list[Any]]]:
    for path in (
        ("epcisHeader", "epcisMasterData", "vocabularyList"),
        ("epcisBody", "queryResults", "resultsBody", "vocabularyList"),
    ):
        value = document
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, list):
            yield path, value


def _too_much(path: _Path, what: str) -> Problem:
    return Problem(None, pointer(*path), "master_data_too_large", f"master data of {what} in one document")


def _fault(raw: dict[str, Any]) -> tuple[str, str, str] | None:
    """(member, code, message) of what is wrong with an element."""
    fault = judge(raw["id"]).fault
    if fault is not None and fault.severity == "error":
        return "id", fault.code, fault.message
    attributes = raw.get("attributes") or ()
    for member, most in (("attributes", MAX_ATTRIBUTES), ("children", MAX_CHILDREN)):
        if len(raw.get(member) or ()) > most:
            return member, "master_data_too_large", f"more than {most} {member} of one element"
    for attribute in attributes:
        if len(attribute["id"]) > MAX_NAME or len(_text(attribute.get("attribute"))) > MAX_TEXT:
            return "attributes", "master_data_too_large", f"an attribute has at most {MAX_TEXT} characters"
    return None


def _element(kind: str, raw: dict[str, Any], context: Context) -> MasterData:
    uri, identifier, _ = judge(raw["id"])
    attributes: dict[str, str] = {}
    for attribute in raw.get("attributes") or ():
        name, text = _expanded(attribute["id"], context), _text(attribute.get("attribute")).strip()
        if text:
            attributes[name] = f"{attributes[name]}; {text}" if attributes.get(name, text) != text else text
    name_of = {_last_word(name): text for name, text in reversed(attributes.items())}
    best = next((name_of[word][:MAX_NAME] for word in _NAMES if word in name_of), None)
    if children := raw.get("children"):
        attributes[CHILDREN] = " ".join(str(judge(child).uri) for child in children)
    return MasterData(str(uri), _kind(_expanded(kind, context), identifier), best, attributes)


def _add(found: dict[str, MasterData], element: MasterData) -> None:
    """What is said of one thing in several vocabularies is said of it together."""
    known = found.get(element.id)
    if known is None:
        found[element.id] = element
        return
    attributes = {**element.attributes, **known.attributes}
    kind = element.kind if known.kind == "other" else known.kind
    found[element.id] = replace(known, kind=kind, name=known.name or element.name, attributes=attributes)


def _kind(vocabulary: str, identifier: Identifier | None) -> Kind:
    kind = _KINDS.get(_last_word(vocabulary))
    if kind is not None:
        return kind
    return "other" if identifier is None else _KIND_OF_KEY.get(identifier.ai, "other")


def _last_word(uri: str) -> str:
    return uri.replace("#", ":").replace("/", ":").rpartition(":")[2].lower()


def _expanded(name: str, context: Context) -> str:
    expanded = context.expand(name)
    return name if expanded is None else expanded[0] + expanded[1]


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
