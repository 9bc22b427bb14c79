"""What an auditor asks of every organisation's peer: where trails stand, and what records say, in one answer that is signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from chaincode import keys
from chaincode.context import Context
from chaincode.rejection import Malformed
from chaincode.trails import LATE_START
from epcis.identity import hash_hex

MOST = 20_000
"""Names in one question."""
_FORM = "heads takes {'nonce', 'things'?: [URI], 'classes'?: [URI], 'records'?: {kind: [name]}}"
_RECORDS: dict[str, Callable[[str], str]] = {
    "event": lambda name: keys.event(hash_hex(name) or name),
    "thing": keys.thing,
    "lot": keys.lot,
    "handoff": keys.handoff,
    "exception": keys.exception,
    "party": keys.party,
    "place": keys.place,
    "device": keys.device,
}


def heads(context: Context, argument: bytes) -> bytes:
    """``{"things": {uri: trail or null}, "classes": {uri: {writer: trail}}, "records": {kind: {name: record or null}}}``.

    Null is a statement: the ledger has no such record. A class's writers are read as a range, so none can be left out. Writes nothing.
    """
    question = _read(argument)
    things, classes = question["things"], question["classes"]
    records = {kind: {name: _RECORDS[kind](name) for name in names} for kind, names in question["records"].items()}
    state = context.state
    state.prefetch(
        [
            *map(keys.thing, things),
            *map(keys.lot, classes),
            *(key for named in records.values() for key in named.values()),
        ]
    )
    answer = {
        "things": {uri: _of_thing(context, uri) for uri in things},
        "classes": {uri: _of_class(context, uri) for uri in classes},
        "records": {kind: {name: state.get(key) for name, key in named.items()} for kind, named in records.items()},
    }
    return orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)


def _of_thing(context: Context, uri: str) -> Any:
    record = context.state.get(keys.thing(uri))
    return None if record is None else record.get("trail", LATE_START)


def _of_class(context: Context, uri: str) -> dict[str, Any]:
    found = {attributes[1]: record["trail"] for attributes, record in context.state.under("TR", uri)}
    lot = context.state.get(keys.lot(uri))
    if lot is not None and "trails" not in lot:
        found[""] = LATE_START  # nobody's: events named it before there were trails
    return found


def _read(argument: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(argument)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{_FORM}: {error}") from error
    if not isinstance(asked, dict) or not asked.keys() <= {"nonce", "things", "classes", "records"}:
        raise Malformed(_FORM)
    if not isinstance(asked.get("nonce"), str):
        raise Malformed(f"{_FORM}: 'nonce' is text that nobody has used before")
    records = asked.get("records", {})
    if not isinstance(records, dict) or not records.keys() <= _RECORDS.keys():
        raise Malformed(f"{_FORM}: kinds are {', '.join(sorted(_RECORDS))}")
    lists = [asked.get("things", []), asked.get("classes", []), *records.values()]
    if not all(isinstance(names, list) and all(map(_is_name, names)) for names in lists):
        raise Malformed(f"{_FORM}: names are lists of texts that are not empty")
    if sum(map(len, lists)) > MOST:
        raise Malformed(f"at most {MOST:,} names at once: ask in parts")
    return {"things": lists[0], "classes": lists[1], "records": records}


def _is_name(name: Any) -> bool:
    """Whether a text can stand in a key."""
    return isinstance(name, str) and name != "" and "\x00" not in name and "\U0010ffff" not in name
