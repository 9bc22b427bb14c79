"""Writing an event's identifiers as EPC URNs instead of Digital Links."""

from __future__ import annotations

from typing import Any

from epcis.identifiers import CANONICAL_BASE, InvalidIdentifier, to_urn

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


def with_urns(event: dict[str, Any]) -> dict[str, Any]:
    """``event`` with EPC URNs as identifiers; one whose company prefix is unknown stays a Digital Link."""
    result = dict(event)
    for name in _SINGLE:
        if name in event:
            result[name] = _urn_or_same(event[name])
    for name in _LISTS:
        if name in event:
            urns = [_urn_or_same(uri) for uri in event[name]]
            # An event may name one thing in two forms; writing both alike would make a list repeat itself.
            result[name] = urns if len(set(urns)) == len(set(event[name])) else event[name]
    for name, member in _MEMBERS.items():
        value = event.get(name)
        if isinstance(value, list):
            result[name] = [{**element, member: _urn_or_same(element[member])} for element in value]
        elif value is not None:
            result[name] = {**value, member: _urn_or_same(value[member])}
    return result


def _urn_or_same(uri: str) -> str:
    if not uri.startswith(CANONICAL_BASE):
        return uri
    try:
        return to_urn(uri)
    except InvalidIdentifier:
        return uri
