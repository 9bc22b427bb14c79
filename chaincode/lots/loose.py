"""Loose quantities of a lot in a parent.

What is in there is folded from packings and unpackings in order of their times. An unpacking takes out what is there at most: what
it says beyond that makes no goods, and an exception is open until the packing is reported or the unpacking declared wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from chaincode import keys
from chaincode.context import Context, decimal_text
from chaincode.exceptions import close_exception, open_exception
from chaincode.facts import Fact
from chaincode.history import Base, Entry, History, short_name
from chaincode.lots.amounts import NOTHING
from chaincode.lots.balances import Balances, Tally
from chaincode.lots.header import Lot
from chaincode.rejection import Rejection
from chaincode.state import Record
from epcis.identity import hash_hex
from epcis.units import code_of, unit

_KIND = "IL"
_PACK, _UNPACK, _EMPTY = "p", "u", "e"
_RANKS = {_EMPTY: 0, _PACK: 1, _UNPACK: 2}  # as things are: what goes in at the moment of an emptying goes in after it


class Emptied(NamedTuple):
    """A parent was unpacked whole: when, by which event (hash URI), and into whose hands where."""

    time: str
    event: str
    holder: str | None
    place: str | None


class _Step(NamedTuple):
    """What an entry did: ``taken`` out, ``excess`` that was said to be taken and was not there, what is in there after it."""

    entry: Entry
    taken: Decimal
    excess: Decimal
    inside: Decimal


class Loose:
    """What was said of a lot in a parent. ``cause`` is the event that changes it."""

    def __init__(self, context: Context, cause: Fact, parent: str, uri: str, lot: Lot | None, base: str) -> None:
        self._context, self._cause, self._parent, self._uri = context, cause, parent, uri
        self._lot = lot
        self._base = lot.unit if lot is not None and lot.unit is not None else base
        self._balances = Balances(context, cause, uri, lot, base)
        self._history = History(context.state, _KIND, f"{parent}\n{uri}", _record(context, parent, uri))

    def packed(self, fact: Fact, quantity: Decimal, *, retracted: bool = False) -> None:
        """So much was put in."""
        self._change(_entry(fact, _PACK, quantity), retracted=retracted)

    def unpacked(self, fact: Fact, quantity: Decimal, *, retracted: bool = False) -> None:
        """So much was taken out."""
        self._change(_entry(fact, _UNPACK, quantity), retracted=retracted)

    def emptied(self, emptied: Emptied, *, retracted: bool = False) -> None:
        """All that was in there was taken out."""
        name = short_name(hash_hex(emptied.event))
        self._change(
            [emptied.time, _RANKS[_EMPTY], name, _EMPTY, "0", emptied.holder, emptied.place], retracted=retracted
        )

    def _change(self, entry: Entry, *, retracted: bool) -> None:
        history = self._history
        history.reach(entry[0])
        before = list(_steps(history.base, history.entries))
        if retracted:
            history.remove((entry[0], entry[1], entry[2]))
        elif not history.add(entry):
            _add_to(history, entry)
        after = list(_steps(history.base, history.entries))
        idle = [step.entry for step in after if step.entry[3] == _EMPTY and not step.taken]
        for one in idle:  # it was not in there: from which nothing follows
            history.remove((one[0], one[1], one[2]))
        if idle:
            after = list(_steps(history.base, history.entries))
        earlier = NOTHING if history.base is None else Decimal(history.base["excess"])
        was, excess = (earlier + sum((step.excess for step in steps), NOTHING) for steps in (before, after))
        if excess > was and not retracted:
            self._refuse_or_flag(entry, excess - was)
        self._balances.apply(_movements(before), _movements(after))
        self._tell(was, excess)
        self._save(after[-1].inside if after else _inside(history.base))

    def _refuse_or_flag(self, entry: Entry, excess: Decimal) -> None:
        if self._context.enforces:
            detail = f"{decimal_text(excess)} more of {self._uri} taken out of {self._parent} than was in it"
            whom = (entry[5],)
            raise Rejection("not_packed", detail, "childQuantityList", item=self._uri, parties=whom)
        self._cause.flags.add("not_packed")

    def _tell(self, was: Decimal, excess: Decimal) -> None:
        if was == excess:
            return
        subject = f"{self._parent}\n{self._uri}"
        if excess == 0:
            close_exception(self._context, self._cause, "not_packed", subject)
            return
        detail = f"{decimal_text(excess)} more of {self._uri} were taken out of {self._parent} than were put in"
        whom = (self._cause.party,)
        open_exception(
            self._context, self._cause, "not_packed", subject, detail, item=self._uri, parties=whom, known=was > 0
        )

    def _save(self, inside: Decimal) -> None:
        state, key = self._context.state, keys.loose(self._parent, self._uri)
        if inside > 0:
            state.put(key, {"v": 2, "quantity": decimal_text(inside), "uom": code_of(self._base)})
        else:
            state.delete(key)
        record = self._history.save(_advance)
        if record["log"] or "base" in record:
            state.put(keys.loose_history(self._parent, self._uri), {"v": 2, **record})
        else:
            state.delete(keys.loose_history(self._parent, self._uri))


def _record(context: Context, parent: str, uri: str) -> Record | None:
    """The history's record; of a ledger's first version only what was in there is known."""
    record = context.state.get(keys.loose_history(parent, uri))
    if record is not None:
        return record
    inside = context.state.get(keys.loose(parent, uri))
    if inside is None or "v" in inside:
        return None
    with_unit = Decimal(inside["quantity"]) * unit(inside["uom"]).factor
    return {"log": [], "base": {"inside": decimal_text(with_unit), "excess": "0"}}


def _entry(fact: Fact, kind: str, quantity: Decimal) -> Entry:
    name = short_name(fact.hex)
    return [fact.time, _RANKS[kind], name, kind, decimal_text(quantity), fact.party, fact.place]


def _add_to(history: History, entry: Entry) -> None:
    """An event that names a lot twice means both together."""
    place = (entry[0], entry[1], entry[2])
    (known,) = (one for one in history.entries if (one[0], one[1], one[2]) == place)
    history.remove(place)
    history.add([*entry[:4], decimal_text(Decimal(known[4]) + Decimal(entry[4])), *entry[5:]])


def _inside(base: Base) -> Decimal:
    return NOTHING if base is None else Decimal(base["inside"])


def _steps(base: Base, entries: Iterable[Entry]) -> Iterator[_Step]:
    inside = _inside(base)
    for entry in entries:
        quantity, there = Decimal(entry[4]), max(inside, NOTHING)
        taken = excess = NOTHING
        if entry[3] == _PACK:
            inside += quantity
        else:
            taken = there if entry[3] == _EMPTY else min(quantity, there)
            excess = NOTHING if entry[3] == _EMPTY else quantity - taken
            inside -= taken
        yield _Step(entry, taken, excess, inside)


def _movements(steps: Iterable[_Step]) -> Tally:
    tally = Tally()
    for step in steps:
        if step.taken:
            tally.add(step.entry[5], step.entry[6], step.taken)
    return tally


def _advance(base: Base, entries: list[Entry]) -> Base:
    steps = list(_steps(base, entries))
    excess = NOTHING if base is None else Decimal(base["excess"])
    inside = steps[-1].inside if steps else _inside(base)
    return {
        "inside": decimal_text(inside),
        "excess": decimal_text(excess + sum((step.excess for step in steps), NOTHING)),
    }
