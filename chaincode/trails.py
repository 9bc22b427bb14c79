"""The trails that an event extends (``epcis.trails``): of every thing, lot and class that it names.

An instance's trail lies in its own record, which the event writes anyway. A lot is named by many at once: it has one trail for each
writer, under keys of their own, so that two writers of one lot never wait for one another.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from chaincode import keys
from chaincode.context import Context
from chaincode.facts import Fact
from chaincode.state import Record
from epcis.trails import EMPTY, digest, extended

START: list[int | str] = [0, EMPTY]
"""``[how many events, head]``; with a third member, ``"older"``, where the ledger had told of the thing before there were trails."""
_OLDER = "older"
LATE_START = [*START, _OLDER]


def file_event(context: Context, fact: Fact, record: Record, number: int) -> None:
    """Write an event's record with its place in the transaction, and extend the trails of what it names by it."""
    said = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    after = {name: record[name] for name in record if name > "n"}
    tail = orjson.dumps(after, option=orjson.OPT_SORT_KEYS)[1:]
    context.state.file_text(keys.event(fact.hex), b'%b"n":%d,%b' % (said[: -len(tail)], number, tail))
    step = digest(said)
    for uri in dict.fromkeys(fact.instances):
        _extend_thing(context, uri, step)
    for uri in fact.named_classes:
        _extend_class(context, uri, step)


def _extend_thing(context: Context, uri: str, step: bytes) -> None:
    key = keys.thing(uri)
    record = context.state.get(key) or stub_of(uri)
    context.state.put(key, {**record, "trail": _after(record.get("trail", LATE_START), step)})


def _extend_class(context: Context, uri: str, step: bytes) -> None:
    key = keys.trail(uri, context.writer)
    record = context.state.get(key)
    context.state.put(key, {"trail": _after(_begun(context, uri) if record is None else record["trail"], step)})


def _begun(context: Context, uri: str) -> list[int | str]:
    lot = context.state.get(keys.lot(uri))
    return START if lot is None or "trails" in lot else LATE_START


def _after(trail: list[int | str], step: bytes) -> list[int | str]:
    n, head, *older = trail
    assert isinstance(n, int)
    assert isinstance(head, str)
    return [n + 1, extended(head, step), *older]


def keys_of(context: Context, fact: Fact) -> Iterable[str]:
    """The keys of the trails that have no record to lie in."""
    return [keys.trail(uri, context.writer) for uri in fact.named_classes]


def stub_of(uri: str) -> Record:
    """The record of a thing that nothing was said of yet, but that was named."""
    names = ("msp", "maker", "title", "holder", "place", "disposition", "parent", "lot")
    return {
        "v": 2,
        "id": uri,
        **dict.fromkeys(names),
        "status": "unknown",
        "commissioned": False,
        "open": [],
        "event": "",
        "time": "",
        "log": [],
        "trail": START,
    }
