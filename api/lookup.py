"""From what a person has in hand to the things that it may mean."""

from __future__ import annotations

from sqlalchemy import Connection

from epcis.identifiers import Code, UnreadableCode, number_in_link, read, read_code
from readmodel.queries.numbers import beginning, numbered

_LONGEST_NUMBER, _SHORTEST_BEGINNING = 30, 3


def find_things(connection: Connection, text: str) -> list[str]:
    """The canonical links of what ``text`` may mean: whatever a code or label says, or a bare number: of a product or pallet, or any
    lot or serial number that the ledger has heard of.

    >>> find_things(connection, "(01)09527523745504(17)271231(10)L1")
    ['https://id.gs1.org/01/09527523745504/10/L1']

    Raises:
        UnreadableCode: it is meant as a GS1 identifier and is none.
    """
    if not text.strip():
        return []
    uri, identifier, fault = read(text)
    if fault is not None and fault.severity == "error":
        raise UnreadableCode(fault.message, fault.code)
    if identifier is None and ":" in text:
        return [str(uri)]  # a name of another system
    return things_of(connection, read_code(text))


def things_of(connection: Connection, code: Code) -> list[str]:
    """What a code that was read may mean. The number of a product or pallet is looked up as a lot or serial number too."""
    if code.uri is not None and not code.is_number:
        return [code.uri]
    known = numbered(connection, number_in_link(code.text)) if len(code.text) <= _LONGEST_NUMBER else []
    return known or ([] if code.uri is None else [code.uri])


def things_beginning(connection: Connection, code: Code) -> list[str]:
    """The things whose lot, serial or pallet number begins with a bare text."""
    if code.uri is not None or not _SHORTEST_BEGINNING <= len(code.text) <= _LONGEST_NUMBER:
        return []
    return beginning(connection, number_in_link(code.text))
