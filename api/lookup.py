"""From what a person has in hand to the things that it may mean."""

from __future__ import annotations

from sqlalchemy import Connection

from epcis.identifiers import InvalidIdentifier, number_in_link, read
from readmodel.queries.numbers import numbered

_LONGEST_NUMBER = 30


def find_things(connection: Connection, text: str) -> list[str]:
    """The canonical links of what ``text`` may mean: a Digital Link, EPC URN, element string in brackets, or a bare
    number: of a product or pallet, or any lot or serial number that the ledger has heard of.

    >>> find_things(connection, "(01)09527523745504(17)271231(10)L1")
    ['https://id.gs1.org/01/09527523745504/10/L1']

    Raises:
        InvalidIdentifier: it is meant as a GS1 identifier and is none.
    """
    text = text.strip()
    uri, identifier, fault = read(text)
    if fault is not None and fault.severity == "error":
        raise InvalidIdentifier(fault.message, fault.code)
    if ":" in text or text.startswith("("):
        return [str(uri)]
    if not text or len(text) > _LONGEST_NUMBER or not text.isprintable():
        return []
    known = numbered(connection, number_in_link(text))
    return known if known or identifier is None else [str(uri)]
