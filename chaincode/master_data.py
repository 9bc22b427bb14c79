"""Master data: what organisations say of products, places, parties and things, so that people read names instead of numbers.

Everybody's word stands beside everybody else's, under their own name; it gives no power over anything and no verdict depends on it.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from chaincode import arguments, keys, rules
from chaincode.context import Context
from chaincode.rejection import Malformed
from chaincode.state import Record
from epcis.identifiers import LONGEST_KEY, identity_of

KINDS = ("product", "place", "party", "other")
MOST = 1_000
"""Descriptions in one group or call."""
MOST_ATTRIBUTES = 100
LONGEST_VALUE = 4_000
_LONGEST_NAME = 500
_FORM = "a description is {'id', 'kind': product, place, party or other, 'name'?, 'attributes': {attribute: text}?}"
_BROKEN = re.compile("[\x00\ud800-\udfff]")  # what no database holds


def describe(context: Context, argument: bytes) -> bytes:
    """``{id, kind, name?, attributes?}`` or a list of them: what the caller's organisation says of it from now on.

    Answers ``{"described": [id, …]}``. Raises Malformed.
    """
    rules.has_role(context, rules.CAPTURE_ROLES, "describe")
    found = read(arguments.entries(argument))
    write(context, found)
    context.state.flush()
    return orjson.dumps({"described": [record["id"] for record in found]})


def read(given: Any) -> list[Record]:
    """The descriptions in a group's ``masterData``, or in the argument of ``describe``; none if there is none. Raises Malformed."""
    if given is None:
        return []
    if not isinstance(given, list):
        raise Malformed(f"masterData is a list: {_FORM}")
    if len(given) > MOST:
        raise Malformed(f"at most {MOST} descriptions at once", 413)
    return [_description(number, entry) for number, entry in enumerate(given)]


def write(context: Context, described: list[Record]) -> None:
    """Keep what an organisation says. The same again writes nothing."""
    keyed = {
        keys.master_data(record["id"], context.msp): {**record, "msp": context.msp, "v": 2} for record in described
    }
    context.state.prefetch(keyed)
    for key, record in keyed.items():
        if context.state.get(key) != record:
            context.state.put(key, record)


def _description(number: int, entry: Any) -> Record:
    try:
        if (
            not isinstance(entry, dict)
            or entry.keys() - {"id", "kind", "name", "attributes"}
            or entry.get("kind") not in KINDS
        ):
            raise Malformed(_FORM)
        record: Record = {"id": str(identity_of(_text(entry.get("id"), "id", LONGEST_KEY))), "kind": entry["kind"]}
        if len(record["id"]) > LONGEST_KEY:
            raise Malformed(f"id has more than {LONGEST_KEY} characters")
        if entry.get("name") is not None:
            record["name"] = _text(entry["name"], "name", _LONGEST_NAME)
        record["attributes"] = _attributes(entry.get("attributes") or {})
    except Malformed as error:
        raise Malformed(f"masterData {number}: {error}", error.status) from error
    return record


def _attributes(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise Malformed("attributes are texts by the URI of what they say")
    if len(given) > MOST_ATTRIBUTES:
        raise Malformed(f"at most {MOST_ATTRIBUTES} attributes")
    return {
        _text(name, "attributes", _LONGEST_NAME): _text(value, name, LONGEST_VALUE) for name, value in given.items()
    }


def _text(value: Any, field: str, longest: int) -> str:
    """A text as it stands: tabs and the like come with other programs' documents, and nobody's name is refused for one."""
    if not isinstance(value, str) or not value.strip():
        raise Malformed(f"{field[:50]!r} is a text that is not empty")
    if len(value) > longest:
        raise Malformed(f"{field[:50]!r} has more than {longest} characters")
    if _BROKEN.search(value):
        raise Malformed(f"{field[:50]!r} holds a character that cannot be kept")
    return value
