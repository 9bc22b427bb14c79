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
from epcis.problems import MAX_PROBLEMS, Problem, pointer

Kind = Literal["product", "place", "party", "other"]

# Within what the contract takes: a document that was accepted must not fail there.
MAX_ELEMENTS = 1_000
MAX_ATTRIBUTES = 99
MAX_ID = 200
MAX_TEXT = 4_000
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


def read_master_data(document: Any, context: Context) -> tuple[list[MasterData], list[Problem]]:
    """The master data of a document that is valid by the schema, and what is wrong with it (at most 100 faults)."""
    found: dict[str, MasterData] = {}
    problems: list[Problem] = []
    for where, kind, raw in _elements(document):
        fault = _fault(raw)
        if fault is None:
            element = _merged(found, _element(kind, raw, context))
            fault = _fault_of_texts(element)
        if fault is not None:
            problems.append(Problem(None, pointer(*where, fault[0]), *fault[1:]))
        if len(found) > MAX_ELEMENTS or len(problems) >= MAX_PROBLEMS:
            break
    elements = list(found.values())
    if len(found) > MAX_ELEMENTS:
        problems.append(_too_much(f"more than {MAX_ELEMENTS} elements"))
    elif len(orjson.dumps([element.to_dict() for element in elements])) > MAX_BYTES:
        problems.append(_too_much(f"more than {MAX_BYTES} bytes"))
    return elements, problems[:MAX_PROBLEMS]


def _elements(document: Any) -> Iterator[tuple[_Path, str, dict[str, Any]]]:
    """(where, type of its vocabulary, element) of every element."""
    for path, vocabularies in _vocabularies(document):
        for place, vocabulary in enumerate(vocabularies):
            for number, raw in enumerate(vocabulary.get("vocabularyElementList") or ()):
                yield (*path, place, "vocabularyElementList", number), vocabulary["type"], raw


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


def _too_much(what: str) -> Problem:
    return Problem(None, "/epcisHeader", "master_data_too_large", f"master data of {what} in one document")


def _fault(raw: dict[str, Any]) -> tuple[str, str, str] | None:
    """(member, code, message) of what is wrong with an element's id or the number of its attributes."""
    fault = judge(raw["id"]).fault
    if fault is not None and fault.severity == "error":
        return "id", fault.code, fault.message
    if len(raw["id"]) > MAX_ID:
        return "id", "identifier_too_long", f"an id has at most {MAX_ID} characters here"
    if len(raw.get("attributes") or ()) > MAX_ATTRIBUTES:
        return "attributes", "master_data_too_large", f"more than {MAX_ATTRIBUTES} attributes of one element"
    return None


def _fault_of_texts(element: MasterData) -> tuple[str, str, str] | None:
    """The same of what an element says."""
    if len(element.attributes) > MAX_ATTRIBUTES + 1:  # one more are the children
        return "attributes", "master_data_too_large", f"more than {MAX_ATTRIBUTES} attributes of one element"
    for name, text in element.attributes.items():
        if len(name) > MAX_NAME or len(text) > MAX_TEXT:
            return "attributes", "master_data_too_large", f"{name[:40]} says more than {MAX_TEXT} characters"
        if "\0" in text or "\0" in name:
            return "attributes", "text", f"{name[:40]} holds a character that no database can keep"
    return None


def _element(kind: str, raw: dict[str, Any], context: Context) -> MasterData:
    uri, identifier, _ = judge(raw["id"])
    attributes: dict[str, str] = {}
    for attribute in raw.get("attributes") or ():
        name, text = _expanded(attribute["id"], context), _text(attribute.get("attribute")).strip()
        if text:
            attributes[name] = f"{attributes[name]}; {text}" if attributes.get(name, text) != text else text
    name_of = {_last_word(name): text for name, text in reversed(attributes.items())}
    best = next((name_of[word][:MAX_NAME].strip() for word in _NAMES if word in name_of), None)
    if children := raw.get("children"):
        attributes[CHILDREN] = " ".join([str(judge(child).uri) for child in children])
    return MasterData(str(uri), _kind(_expanded(kind, context), identifier), best, attributes)


def _merged(found: dict[str, MasterData], element: MasterData) -> MasterData:
    """What is said of one thing in several vocabularies is said of it together."""
    known = found.get(element.id, element)
    attributes = {**element.attributes, **known.attributes}
    kind = element.kind if known.kind == "other" else known.kind
    merged = replace(known, kind=kind, name=known.name or element.name, attributes=attributes)
    found[element.id] = merged
    return merged


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
