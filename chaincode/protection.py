"""Protection: organisations that must agree to every change of a thing or a lot, whatever the channel's majority says.

Everything that records its custody names them (``endorsers``): its own record, the claims about it, its handoffs and a
lot's balances. The state gives the key of a record that names endorsers an endorsement policy that asks for a peer of
each of them (state.py), so what readers see and what peers demand cannot come apart. No verdict depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from chaincode import handoffs, keys, rules
from chaincode.context import Context
from chaincode.goods.timeline import keys_of, outermost
from chaincode.registry import entries
from chaincode.rejection import Malformed
from chaincode.state import Record

_MOST_ORGANISATIONS = 32
_MOST_RECORDS = 10_000
_FORM = "a protection is {'thing' or 'lot': identifier, 'organisations': [MSP identifiers]}"


class _Subject(NamedTuple):
    """What is to be protected: its record, who answers for it, and the keys that record its custody."""

    uri: str
    record: Record
    responsible: str
    keys: list[str]


def protect(context: Context, argument: bytes) -> bytes:
    """``{"thing" or "lot": identifier, "organisations": [MSP, …]}`` or a list of them.

    A say can be passed on, and never taken off: Fabric keeps a key's policy as long as the key, and its gateway finds
    no endorsers for an empty one. Answers ``{"protected": [{"id", "endorsers"}]}``. Raises Malformed.
    """
    rules.has_role(context, rules.ADMIN_ROLES, "protect")
    answers, written = [], 0
    for number, entry in enumerate(entries(argument)):
        try:
            subject, wanted = _read(context, entry)
            written += _apply(context, subject, wanted)
            if written > _MOST_RECORDS:
                raise Malformed(f"more than {_MOST_RECORDS} records would change: protect fewer at once", 413)
        except Malformed as error:
            raise Malformed(f"entry {number}: {error}", error.status) from error
        answers.append({"id": subject.uri, "endorsers": wanted})
    context.state.flush()
    return orjson.dumps({"protected": answers}, option=orjson.OPT_SORT_KEYS)


def _read(context: Context, entry: Record) -> tuple[_Subject, list[str]]:
    if len(entry.keys() & {"thing", "lot"}) != 1 or entry.keys() - {"thing", "lot", "organisations"}:
        raise Malformed(_FORM)
    subject = _thing(context, entry["thing"]) if "thing" in entry else _lot(context, entry["lot"])
    wanted = _organisations(entry.get("organisations"))
    before = set(subject.record.get("endorsers", ()))
    rules.may_protect(context, subject.uri, subject.responsible, before, set(wanted))
    _check_known(context, set(wanted) - before - {context.msp})
    return subject, wanted


def _organisations(given: object) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(msp, str) and msp.strip() for msp in given):
        raise Malformed("organisations is a list of MSP identifiers")
    if not given:
        raise Malformed("a say in a thing can be passed on, not taken off: name at least one organisation")
    if len(given) > _MOST_ORGANISATIONS:
        raise Malformed(f"at most {_MOST_ORGANISATIONS} organisations can have a say in one thing")
    return sorted(set(given))


def _check_known(context: Context, added: set[str]) -> None:
    """A policy that names who has no peer would lock a thing for ever. The contract cannot read the channel's
    configuration; but who owns a party has transacted, so is a member."""
    if not added:
        return
    parties = context.stub.get_state_by_partial_composite_key("PY", [])
    unknown = added - {orjson.loads(value)["msp"] for _, value in parties}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise Malformed(f"no party of {names} is registered: nobody knows whether it has a peer that could agree", 404)


def _thing(context: Context, uri: object) -> _Subject:
    record = context.state.get(keys.thing(uri)) if isinstance(uri, str) else None
    if record is None or not isinstance(uri, str):
        raise Malformed(f"there is no thing {uri}", 404)
    return _Subject(uri, record, _title(context, record), keys_of(context, uri))


def _title(context: Context, record: Record) -> str:
    """Who may decide over a thing: who has title to it or, while it is in something, to that."""
    top = outermost(context, record)
    own: str = record.get("title") or ""
    return top.get("title") or (own if own == top["msp"] else "")


def _lot(context: Context, uri: object) -> _Subject:
    record = context.state.get(keys.lot(uri)) if isinstance(uri, str) else None
    if record is None or not isinstance(uri, str):
        raise Malformed(f"there is no lot {uri}", 404)
    balances = [keys.balance(*attributes) for attributes, _ in context.state.under("LB", uri)]
    consignees = [attributes[1] for attributes, _ in context.state.under("HX", uri)]
    context.state.prefetch(keys.claims(uri, consignee) for consignee in consignees)
    lanes = [key for consignee in consignees for key in _lane(context, uri, consignee)]
    return _Subject(uri, record, record["msp"], [keys.lot(uri), *balances, *lanes])


def _lane(context: Context, item: str, consignee: str) -> Iterator[str]:
    """The keys of the claims of an item (a lot's: to one consignee) and of its handoffs."""
    key = keys.claims(item, consignee)
    claims = context.state.get(key)
    if claims is not None:
        yield key
        name = handoffs.lane_name(item, consignee)
        for number in range(claims["written"]):
            yield keys.handoff(f"{name}-{number}")


def _apply(context: Context, subject: _Subject, wanted: list[str]) -> int:
    """Name the endorsers in every record; returns how many changed."""
    if wanted == subject.record.get("endorsers", []):
        return 0
    context.state.prefetch(subject.keys)
    for key in subject.keys:
        record = context.state.get(key)
        if record is not None:
            context.state.put(key, {**record, "endorsers": wanted})
    return len(subject.keys)
