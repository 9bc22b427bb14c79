"""Attempts that the contract refused, from the answers that transactions carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fabric.words.blocks import DecodedTx
from fabric.words.client_identity import client_identity
from readmodel import typed
from readmodel.bulk import Bulk, Row
from readmodel.identifiers import clean
from readmodel.quarantine import Origin
from readmodel.tables import Refusal, RefusalConcern
from readmodel.typed import UnreadableError

_ROLLED_BACK = "rolled_back"
_MOST_EVENTS = 1 << 26
"""More than a transaction can have."""
_COLUMNS = (
    *("id", "transaction_id", "n", "event", "code", "detail", "field", "item"),
    *("msp", "submitter", "refused_at"),
)


class Refused(NamedTuple):
    """A refused attempt and whom it concerns."""

    row: Row
    parties: tuple[str, ...]
    organisations: tuple[str, ...]


def refused(origin: Origin, tx: DecodedTx) -> list[Refused]:
    """The refused attempts of a transaction, those aside that were taken back with another. Raises UnreadableError."""
    answer = typed.members(tx.response_payload)
    groups = answer.get("groups")
    if type(groups) is not list:
        raise UnreadableError("groups: not a list")
    found: dict[int, Refused] = {}
    start = 0
    for group in groups:
        if type(group) is not dict:
            raise UnreadableError("groups: not a list of objects")
        events = typed.texts(group, "events")
        for verdict in _verdicts(group, bool(events)):
            one = _refused(origin, tx, start, events, verdict)
            found[one.row[0]] = one
        start += len(events) or len(group["verdicts"])
    return list(found.values())


def _verdicts(group: Mapping[str, Any], short: bool) -> Iterator[Mapping[str, Any]]:
    """The verdicts of rejection. An answer of the contract's first days lists all verdicts and no events."""
    verdicts = group.get("verdicts")
    if type(verdicts) is not list or any(type(one) is not dict for one in verdicts):
        raise UnreadableError("verdicts: not a list of objects")
    for place, verdict in enumerate(verdicts):
        if verdict.get("verdict") == "rejected" and verdict.get("code") != _ROLLED_BACK:
            yield verdict if short else {**verdict, "n": place}


def _refused(origin: Origin, tx: DecodedTx, start: int, events: list[str], verdict: Mapping[str, Any]) -> Refused:
    n = verdict.get("n")
    if type(n) is not int or n < 0 or (events and n >= len(events)):
        raise UnreadableError("n: not a place in the group")
    place = start + n
    row = (
        origin.transaction * _MOST_EVENTS + place,
        origin.transaction,
        place,
        (clean(events[n]) or None) if events else None,
        typed.needed(verdict, "code"),
        typed.shown(verdict, "detail"),
        typed.text(verdict, "field"),
        typed.text(verdict, "item"),
        clean(tx.creator_msp) if tx.creator_msp else None,
        _submitter(tx.creator),
        origin.timestamp,
    )
    parties, organisations = typed.texts(verdict, "parties"), typed.texts(verdict, "organisations")
    return Refused(row, tuple(map(clean, parties)), tuple(map(clean, organisations)))


def _submitter(creator: bytes) -> str | None:
    try:
        return clean(client_identity(creator).id) if creator else None
    except ValueError:
        return None


def write_refusals(bulk: Bulk, refusals: list[Refused]) -> None:
    """Keep them."""
    bulk.insert(Refusal, _COLUMNS, [one.row for one in refusals])
    concerned = {
        (one.row[0], kind, whom): None
        for one in refusals
        for kind, named in (("party", one.parties), ("organisation", one.organisations))
        for whom in named
    }
    bulk.insert(RefusalConcern, ("refusal_id", "kind", "whom"), list(concerned))
