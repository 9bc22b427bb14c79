"""From what a person has in hand to the identifier the ledger knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

import readmodel
from api.settings import Settings
from epcis.identifiers import CANONICAL_BASE, InvalidIdentifier, is_miswritten, to_digital_link
from lotline.errors import CommandError, UsageError
from readmodel.queries.numbers import numbered

_ELEMENT = re.compile(r"\((\d{2,4})\)([^()]+)")
_FORMS = "Give a GS1 Digital Link, an EPC URN, a GS1 element string like (01)…(10)…, or a lot or serial number."


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """A connection to the instance's read model."""
    engine = readmodel.open_engine(settings.readmodel_url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def resolve(connection: Connection, text: str) -> str:
    """The canonical Digital Link of what ``text`` means.

    >>> resolve(connection, "(01)09527523745504(10)L1")
    'https://id.gs1.org/01/09527523745504/10/L1'

    A bare lot or serial number is looked up; `CommandError` when it is unknown, or not unique (naming those
    that carry it). `UsageError` for what can't be an identifier.
    """
    text = text.strip()
    elements = _ELEMENT.findall(text)
    if elements and "".join(f"({ai}){value}" for ai, value in elements) == text:
        text = "/".join([CANONICAL_BASE.rstrip("/"), *(part for element in elements for part in element)])
    if ":" in text:
        return _checked(text)
    return _by_number(connection, text)


def _checked(text: str) -> str:
    try:
        identifier = to_digital_link(text)
    except InvalidIdentifier as error:
        raise UsageError(f"{text!r} is no GS1 identifier: {error}", hint=_FORMS) from error
    if is_miswritten(identifier):
        raise UsageError(f"{text!r} has a wrong check digit", hint="One of its digits was misread or mistyped.")
    return identifier


def _by_number(connection: Connection, number: str) -> str:
    if not number or len(number) > 30 or not number.isprintable():
        raise UsageError(f"{number!r} is no identifier", hint=_FORMS)
    found = numbered(connection, number)
    if not found:
        raise CommandError(f"the ledger never heard of {number!r}", hint=_FORMS)
    if len(found) > 1:
        raise CommandError(f"{number!r} can mean several things:\n  " + "\n  ".join(found), hint="Give one of them.")
    return found[0]
