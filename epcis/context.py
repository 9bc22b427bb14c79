"""JSON-LD contexts, as far as EPCIS needs them: prefixes of namespaces. Nothing is ever fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson

STANDARD_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
LOTLINE_NAMESPACE = "https://ns.lotline.org/epcis/"

# What GS1's EPCIS context declares, known here so that it need not be read from anywhere.
STANDARD_PREFIXES: Mapping[str, str] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
_STANDARD_ADDRESS = re.compile(
    r"https?://(?:ref\.gs1\.org|gs1\.github\.io|id\.gs1\.org|ns\.gs1\.org|www\.gs1\.org)/.*epcis-context\.jsonld"
)


class Context:
    """What a document's ``@context`` adds to the standard one.

    ``prefixes`` maps every known prefix to its namespace; ``remote`` are the addresses of contexts other than
    GS1's, kept but never read; ``terms`` are definitions that are more than a prefix, kept as well.
    """

    def __init__(self, entries: Any = ()) -> None:
        self.declared: dict[str, str] = {}
        self.terms: dict[str, Any] = {}
        remote: dict[str, None] = {}
        for entry in entries if isinstance(entries, list | tuple) else [entries]:
            self._add(entry, remote)
        self.remote = list(remote)
        self.prefixes: dict[str, str] = {
            **STANDARD_PREFIXES,
            "lotline": LOTLINE_NAMESPACE,
            **self.declared,
        }

    def _add(self, entry: Any, remote: dict[str, None]) -> None:
        if isinstance(entry, str):
            if not _STANDARD_ADDRESS.fullmatch(entry):
                remote[entry] = None
        elif isinstance(entry, dict):
            for name, value in entry.items():
                if isinstance(value, str) and not name.startswith("@"):
                    self.declared[name] = value
                else:
                    self.terms[name] = value

    def extended(self, entries: Any) -> Context:
        """This context with the entries of an event's own ``@context`` after its own."""
        return Context([*self.entries, *(entries if isinstance(entries, list) else [entries])])

    @cached_property
    def entries(self) -> list[Any]:
        """What is not in the standard context, as a ``@context`` list."""
        own = {name: iri for name, iri in self.declared.items() if STANDARD_PREFIXES.get(name) != iri}
        return [*self.remote, *([self.terms] if self.terms else []), *([own] if own else [])]

    @cached_property
    def _markers(self) -> list[tuple[bytes, str, str]]:
        own = {name: iri for name, iri in self.prefixes.items() if STANDARD_PREFIXES.get(name) != iri}
        return [(_marker(name), name, iri) for name, iri in own.items()]

    @cached_property
    def _term_markers(self) -> list[tuple[bytes, bytes, str, bytes]]:
        """(the term as a whole name or value, as a prefix, the term, its definition as JSON) of every term."""
        terms = [(name, orjson.dumps(value)) for name, value in self.terms.items() if not name.startswith("@")]
        return [(_whole(name), _marker(name), name, definition) for name, definition in terms]

    @cached_property
    def carried(self) -> list[Any]:
        """What every event needs, whatever it says: others' contexts, which are not read, and JSON-LD's keywords."""
        keywords = {name: value for name, value in self.terms.items() if name.startswith("@")}
        return [*self.remote, *([keywords] if keywords else [])]

    def used_by(self, event_json: bytes) -> dict[str, str]:
        """The prefixes that begin a name or value in ``event_json``, except the standard context's."""
        return {name: iri for marker, name, iri in self._markers if marker in event_json}

    def needed_by(self, event_json: bytes, known: Mapping[str, str] | None = None) -> list[Any]:
        """The entries that ``event_json`` needs beside the standard context and ``known``."""
        terms = self._terms_used_by(event_json) if self.terms else {}
        used = self.used_by(event_json + orjson.dumps(terms) if terms else event_json)
        if known is not None:
            used = {name: iri for name, iri in used.items() if known.get(name) != iri}
        if not self.carried and not terms:
            return [used] if used else []
        return [*self.carried, *([terms] if terms else []), *([used] if used else [])]

    def _terms_used_by(self, event_json: bytes) -> dict[str, Any]:
        """The terms that occur in ``event_json`` as names, values or prefixes, and those that their definitions use."""
        left, text = self._term_markers, event_json
        found: list[tuple[str, bytes]] = []
        while text:
            now = [entry for entry in left if entry[0] in text or entry[1] in text]
            left = [entry for entry in left if entry not in now] if now else left
            found += [(name, definition) for _, _, name, definition in now]
            text = b"".join(definition for *_, definition in now)
        return {name: self.terms[name] for name in self.terms if name in dict(found)}

    def expand(self, name: str) -> tuple[str, str] | None:
        """``prefix:rest`` as (namespace, rest), or None when no known prefix begins ``name``."""
        prefix, colon, rest = name.partition(":")
        if not colon or rest.startswith("//"):
            return None
        namespace = self.prefixes.get(prefix)
        return None if namespace is None else (namespace, rest)


GS1_ONLY = Context()


def common_prefixes(events: Sequence[tuple[Context, bytes]]) -> dict[str, str]:
    """The prefixes that one ``@context`` can declare for all ``events`` without changing what any says."""
    found: dict[str, str] = {}
    for context, event_json in events:
        found = {**context.used_by(event_json), **found}
    return {
        name: iri
        for name, iri in found.items()
        if name not in STANDARD_PREFIXES
        and all(context.prefixes.get(name) == iri for context, text in events if _marker(name) in text)
    }


def _marker(prefix: str) -> bytes:
    """How ``prefix:…`` begins in JSON, be it a name or a value."""
    return orjson.dumps(prefix + ":")[:-1]


def _whole(name: str) -> bytes:
    """How ``name`` itself is written in JSON."""
    return orjson.dumps(name)
