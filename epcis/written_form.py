"""Writing an event's identifiers: whole, as what was said of them, or as EPC URNs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epcis.identifiers import CANONICAL_BASE, InvalidIdentifier, Spelled, said, to_urn

_SINGLE = ("parentID", "transformationID")
_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_MEMBERS = {
    "readPoint": "id",
    "bizLocation": "id",
    "quantityList": "epcClass",
    "childQuantityList": "epcClass",
    "inputQuantityList": "epcClass",
    "outputQuantityList": "epcClass",
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
}


def written(value: Any) -> Any:
    """What JSON has instead of the values of our own: whole identifiers, and plain numbers (``default`` of orjson)."""
    if isinstance(value, Spelled):
        return value.said
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"no JSON value: {type(value).__name__}")


def with_links(event: dict[str, Any]) -> dict[str, Any]:
    """``event`` with whole Digital Links as identifiers."""
    return _with(event, said)


def with_urns(event: dict[str, Any]) -> dict[str, Any]:
    """``event`` with EPC URNs as identifiers; one whose company prefix is unknown, or of which no URN can say all,
    stays a Digital Link."""
    return _with(event, _urn_or_same)


def _with(event: dict[str, Any], write: Callable[[str], str]) -> dict[str, Any]:
    result = dict(event)
    for name in _SINGLE:
        if name in event:
            result[name] = write(event[name])
    for name in _LISTS:
        if name in event:
            links, texts = [said(uri) for uri in event[name]], [write(uri) for uri in event[name]]
            # An event may name one thing in two forms; writing both alike would make a list repeat itself.
            result[name] = texts if len(set(texts)) == len(set(links)) else links
    for name, member in _MEMBERS.items():
        value = event.get(name)
        if isinstance(value, list):
            result[name] = [{**element, member: write(element[member])} for element in value]
        elif value is not None:
            result[name] = {**value, member: write(value[member])}
    return result


def _urn_or_same(uri: str) -> str:
    if isinstance(uri, Spelled) or not uri.startswith(CANONICAL_BASE):
        return said(uri)
    try:
        return to_urn(uri)
    except InvalidIdentifier:
        return uri
