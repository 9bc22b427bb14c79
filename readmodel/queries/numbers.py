"""Things by the bare number that is printed on them, looked up by an index (``Thing``)."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select
from sqlmodel import col

from readmodel.tables import NUMBER_OF_THING, Thing

_QUALIFIERS = ("10", "21", "00")
_LAST = "\uffff"


def numbered(connection: Connection, number: str, limit: int = 20) -> list[str]:
    """The Digital Links of things whose lot, serial or pallet number this is, as a link writes it; in whatever case where none has it
    in this one."""
    folded = number.lower()
    found = _carrying(connection, folded == NUMBER_OF_THING, folded, limit)
    exact = [uri for uri in found if uri.endswith(f"/{number}")]
    return exact or found


def beginning(connection: Connection, number: str, limit: int = 20) -> list[str]:
    """The Digital Links of things whose lot, serial or pallet number begins so, in whatever case."""
    folded = number.lower()
    is_near = (folded <= NUMBER_OF_THING) & (folded + _LAST >= NUMBER_OF_THING)
    begins = func.substr(NUMBER_OF_THING, 1, len(folded)) == folded
    return _carrying(connection, is_near & begins, folded, limit)


def _carrying(connection: Connection, condition: object, folded: str, limit: int) -> list[str]:
    kinds = or_(*(col(Thing.uri).like(f"%/{qualifier}/%") for qualifier in _QUALIFIERS))
    query = select(col(Thing.uri)).where(condition, kinds).order_by(col(Thing.uri)).limit(limit)  # type: ignore[arg-type]
    return list(connection.scalars(query))
