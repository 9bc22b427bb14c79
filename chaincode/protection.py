"""Protection: organisations that must agree to every change of a thing or a lot, whatever the channel's majority says.

Everything that records its custody names them (``endorsers``): its own record, its history, its handoffs and a lot's balances. The
state gives the key of a record that names endorsers an endorsement policy that asks for a peer of each of them (state.py), so
what readers see and what peers demand cannot come apart. A majority of the ``guardians``, the channel's administrators, can stand in, so
that an organisation that leaves locks nothing for ever. No verdict depends on any of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import orjson

from chaincode import arguments, keys, lots, rules
from chaincode.context import FEWEST_GUARDIANS, Context
from chaincode.endorsement import MOST_GUARDIANS, Protection
from chaincode.goods import timeline
from chaincode.goods.title import title_of
from chaincode.rejection import Malformed
from chaincode.state import Record

_MOST_ORGANISATIONS = 32
_MOST_RECORDS = 10_000
_FORM = "a protection is {'thing' or 'lot': identifier, 'organisations': [MSP identifiers]}"
_RELEASE = "a release is {'thing' or 'lot': identifier, 'organisation': MSP identifier}"


class _Subject(NamedTuple):
    """What is to be protected: its record, who has title to it, who has a say in it, and the keys that record its custody."""

    uri: str
    title: str | None
    known: Protection
    keys: list[str]


def protect(context: Context, argument: bytes) -> bytes:
    """``{"thing" or "lot": identifier, "organisations": [MSP, …]}`` or a list of them.

    A say can be passed on, and never taken off: Fabric keeps a key's policy as long as the key, and its gateway finds
    no endorsers for an empty one. Answers ``{"protected": [{"id", "endorsers"}]}``. Raises Malformed.
    """
    rules.has_role(context, rules.ADMIN_ROLES, "protect")
    return _answered(context, "protected", arguments.each(argument, _Writing(context).protect))


def release(context: Context, argument: bytes) -> bytes:
    """``{"thing" or "lot": identifier, "organisation": MSP}`` or a list of them: that organisation has no say in it any more.

    For administrators, when an organisation has left without passing its say on. Answers ``{"released": [{"id", "endorsers"}]}``.
    Raises Malformed.
    """
    rules.has_role(context, rules.ADMIN_ROLES, "release")
    rules.administers(context, "release")
    return _answered(context, "released", arguments.each(argument, _Writing(context).release))


def _answered(context: Context, word: str, done: Iterable[Record]) -> bytes:
    answers = list(done)
    context.state.flush()
    return orjson.dumps({word: answers}, option=orjson.OPT_SORT_KEYS)


class _Writing:
    """The changes of one call; too many are refused."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._written = 0
        self._owners: set[str] | None = None

    def protect(self, entry: Record) -> Record:
        """Name all endorsers of one thing or lot."""
        subject = self._subject(entry, "organisations", _FORM)
        wanted = _organisations(entry.get("organisations"))
        before = set(subject.known.endorsers)
        rules.may_protect(self._context, subject.uri, subject.title, before, set(wanted))
        self._check_known(set(wanted) - before - {self._context.msp})
        return self._write(subject, wanted, leaving=None)

    def release(self, entry: Record) -> Record:
        """Strike one organisation out."""
        subject = self._subject(entry, "organisation", _RELEASE)
        gone = arguments.msp(entry, "organisation")
        if gone not in subject.known.endorsers:
            raise Malformed(f"{gone} has no say in {subject.uri}", 404)
        return self._write(subject, [msp for msp in subject.known.endorsers if msp != gone], leaving=gone)

    def _subject(self, entry: Record, field: str, form: str) -> _Subject:
        if len(entry.keys() & {"thing", "lot"}) != 1 or entry.keys() - {"thing", "lot", field}:
            raise Malformed(form)
        kind = "thing" if "thing" in entry else "lot"
        uri = entry[kind]
        key_of = keys.thing if kind == "thing" else keys.lot
        record = self._context.state.get(key_of(uri)) if isinstance(uri, str) else None
        if record is None or not isinstance(uri, str):
            raise Malformed(f"there is no {kind} {uri}", 404)
        known = Protection.from_record(record) or Protection(())
        if kind == "thing":
            return _Subject(uri, title_of(self._context, uri), known, timeline.keys_of(self._context, uri))
        maker = record["msp"] if record["commissioned"] else None
        return _Subject(uri, maker, known, lots.keys_of(self._context, uri))

    def _check_known(self, added: set[str]) -> None:
        """A policy that names who has no peer would lock a thing. The contract cannot read the channel's configuration; but who
        owns a party has transacted, so is a member."""
        unknown = added - self._registered() if added else added
        if unknown:
            names = ", ".join(sorted(unknown))
            detail = f"no party of {names} is registered: nobody knows whether it has a peer that could agree"
            raise Malformed(detail, 404)

    def _registered(self) -> set[str]:
        """The organisations that own a party."""
        if self._owners is None:
            records = self._context.stub.get_state_by_partial_composite_key("PY", [])
            parties = (orjson.loads(value) for _, value in records)
            self._owners = {party["msp"] for party in parties if not party.get("adopted")}
        return self._owners

    def _guardians(self, leaving: str | None) -> tuple[str, ...]:
        """The administrators. Where fewer administer than a majority can be lost of, everybody who owns a party is one."""
        admins = self._context.config.admins
        if not admins:
            return ()
        others = set() if len(admins) >= FEWEST_GUARDIANS else self._registered() - set(admins)
        able = [msp for msp in [*admins, *sorted(others)] if msp != leaving]
        return tuple(sorted(able[:MOST_GUARDIANS]))

    def _write(self, subject: _Subject, endorsers: list[str], leaving: str | None) -> Record:
        said = replace(subject.known, endorsers=tuple(endorsers))
        if said != subject.known:
            said = replace(said, guardians=self._guardians(leaving))
            self._name_in(subject.keys, said)
        return {"id": subject.uri, "endorsers": endorsers}

    def _name_in(self, names: list[str], said: Protection) -> None:
        state = self._context.state
        state.prefetch(names)
        for key in names:
            record = state.get(key)
            if record is not None:
                state.put(key, {**record, **said.to_record()})
        self._written += len(names)
        if self._written > _MOST_RECORDS:
            raise Malformed(f"more than {_MOST_RECORDS} records would change: protect fewer at once", 413)


def _organisations(given: object) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(msp, str) and msp.strip() for msp in given):
        raise Malformed("organisations is a list of MSP identifiers")
    if not given:
        raise Malformed("a say in a thing can be passed on, not taken off: name at least one organisation")
    if len(given) > _MOST_ORGANISATIONS:
        raise Malformed(f"at most {_MOST_ORGANISATIONS} organisations can have a say in one thing")
    return sorted(set(given))
