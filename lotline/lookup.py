"""From what a person has in hand to the identifier the ledger knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

import readmodel
from api.lookup import find_things
from epcis.identifiers import InvalidIdentifier
from instance.settings import Settings
from lotline.errors import CommandError, UsageError

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

    A bare number is looked up; `CommandError` when it is unknown, or not unique (naming those that carry it).
    `UsageError` for what can't be an identifier.
    """
    try:
        found = find_things(connection, text)
    except InvalidIdentifier as error:
        misread = "One of its digits was misread or mistyped." if error.code == "check_digit" else _FORMS
        raise UsageError(f"{text!r} is no GS1 identifier: {error}", hint=misread) from error
    if not found and not text.strip():
        raise UsageError(f"{text!r} is no identifier", hint=_FORMS)
    if not found:
        raise CommandError(f"the ledger never heard of {text!r}", hint=_FORMS)
    if len(found) > 1:
        raise CommandError(f"{text!r} can mean several things:\n  " + "\n  ".join(found), hint="Give one of them.")
    return found[0]
