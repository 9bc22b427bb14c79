"""Balances: how much of a lot a holder has at a place.

They are sums, so their order cannot matter. What was made, less what ended, is what all holders have plus what is packed or on
its way. A balance is negative where an event that explains it has not come yet; an exception says so until then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from chaincode import keys, parties, rules
from chaincode.context import Context, decimal_text
from chaincode.exceptions import close_exception, open_exception
from chaincode.facts import Fact
from chaincode.lots.amounts import NOTHING
from chaincode.lots.header import Lot
from chaincode.state import Record
from epcis.units import code_of, unit

_MOST_HOLDERS = 16
_MANY = 1_000_000_000
"""The first version did not count statements: its balances are never without any."""
Account = tuple[str, str]
"""Holder and place; empty where nobody named one."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What statements add to a balance, and how many they are: one that nobody speaks of any more is deleted."""

    quantity: Decimal = NOTHING
    statements: int = 0

    def __add__(self, other: Moved) -> Moved:
        return Moved(self.quantity + other.quantity, self.statements + other.statements)

    def __sub__(self, other: Moved) -> Moved:
        return Moved(self.quantity - other.quantity, self.statements - other.statements)


Movements = Mapping[Account, Moved]


class Tally(defaultdict[Account, Moved]):
    """Movements by balance, being added up."""

    def __init__(self) -> None:
        super().__init__(Moved)

    def add(self, holder: str | None, place: str | None, quantity: Decimal) -> None:
        """One statement moves a quantity."""
        self[holder or "", place or ""] += Moved(quantity, 1)


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance; ``statements``: how many add to it."""

    quantity: Decimal = NOTHING
    statements: int = 0
    time: str = ""
    event: str = ""

    @property
    def overdrawn(self) -> bool:
        """Whether more left than is known to have been there."""
        return self.quantity < 0

    @classmethod
    def from_record(cls, record: Record) -> Balance:
        """From a record of this version or the first, which counted in whatever unit its events did."""
        quantity = Decimal(record["quantity"])
        if "v" not in record:
            quantity *= unit(record["uom"]).factor
        return cls(quantity, record.get("n", _MANY), record["time"], record["event"])

    def to_record(self, uri: str, holder: str, place: str, base: str) -> Record:
        """As JSON."""
        return {
            "v": 2,
            "class": uri,
            "holder": holder or None,
            "place": place or None,
            "quantity": decimal_text(self.quantity),
            "uom": code_of(base),
            "overdrawn": self.overdrawn,
            "time": self.time,
            "event": self.event,
            "n": self.statements,
        }


class Balances:
    """The balances of one lot. ``cause`` is the event that changes them."""

    def __init__(self, context: Context, cause: Fact, uri: str, lot: Lot | None, base: str) -> None:
        self._context, self._cause, self._uri, self._lot = context, cause, uri, lot
        self._base = lot.unit if lot is not None and lot.unit is not None else base

    def apply(self, before: Movements, after: Movements) -> None:
        """Bring balances from what statements moved before to what they move now."""
        for account in sorted(before.keys() | after.keys()):
            difference = after.get(account, Moved()) - before.get(account, Moved())
            if difference != Moved():
                self.move(account, difference)

    def move(self, account: Account, moved: Moved, *, asked: bool = False) -> None:
        """Add to a balance. ``asked``: by what the event itself takes away, which under ``enforce`` has to be there."""
        holder, place = account
        if holder == "" and place != "" and (claim := self._claim(place)) is not None:
            self._move_unclaimed(place, claim, moved, asked=asked)
            return
        named, before = holder != "" and place != "", self._get(holder, place)
        statements = before.statements + moved.statements
        if named and before.statements == 0 and statements:  # first, so that what lies there in nobody's name counts
            self._note_holder(holder, place, there=True)
            before = self._get(holder, place)
        self._change(account, replace(before, statements=statements), moved.quantity, asked=asked)
        if named and before.statements and not statements:
            self._note_holder(holder, place, there=False)

    def _get(self, holder: str, place: str) -> Balance:
        record = self._context.state.get(keys.balance(self._uri, holder, place))
        return Balance() if record is None else Balance.from_record(record)

    def _change(self, account: Account, balance: Balance, change: Decimal, *, asked: bool = False) -> None:
        holder, place = account
        after = replace(balance, quantity=balance.quantity + change)
        if asked and change < 0 and self._lot is not None:
            rules.is_covered(self._context, {"commissioned": self._lot.commissioned}, self._uri, after.quantity)
        if after.overdrawn or balance.overdrawn:
            self._note_overdraft(holder, place, after, known=balance.overdrawn)
        key = keys.balance(self._uri, holder, place)
        if after.statements == 0 and after.quantity == 0:
            self._context.state.delete(key)
            return
        time, event = max((after.time, after.event), (self._cause.time, self._cause.hash))
        record = replace(after, time=time, event=event).to_record(self._uri, holder, place, self._base)
        self._context.state.put(key, {**self._endorsed(), **record})

    def _endorsed(self) -> Record:
        return self._lot.endorsed if self._lot is not None else {}

    def _note_overdraft(self, holder: str, place: str, after: Balance, *, known: bool) -> None:
        subject = f"{self._uri}\n{holder}\n{place}"
        if not after.overdrawn:
            close_exception(self._context, self._cause, "overdrawn", subject)
            return
        self._cause.flags.add("overdrawn")
        missing, where = decimal_text(-after.quantity), place or "an unnamed place"
        detail = f"{missing} more of {self._uri} left {where} than is known to have been there"
        whom = (holder or None,)
        open_exception(
            self._context, self._cause, "overdrawn", subject, detail, item=self._uri, parties=whom, known=known
        )

    # What lies at a place in nobody's name, from before anybody said whose the place is, is held by who else holds some
    # of the lot there; if there are several, by the first of them by name. So it does not matter who spoke first.

    def _claim(self, place: str) -> Record | None:
        return self._context.state.get(keys.unclaimed(self._uri, place))

    def _move_unclaimed(self, place: str, claim: Record, moved: Moved, *, asked: bool) -> None:
        total = Decimal(claim["quantity"]) + moved.quantity
        changed = {**claim, "quantity": decimal_text(total), "n": claim["n"] + moved.statements}
        self._context.state.put(keys.unclaimed(self._uri, place), changed)
        holder = claim["holders"][0]
        self._change((holder, place), self._get(holder, place), moved.quantity, asked=asked)

    def _note_holder(self, holder: str, place: str, *, there: bool) -> None:
        """Somebody begins, or ceases, to hold some of the lot at a place: what is in nobody's name there may be theirs."""
        claim = self._claim(place)
        if claim is None:
            if not there or (self._has_owner(place) and self._get("", place).statements == 0):
                return
            claim = self._take_over(place)
        before = claim["holders"]
        after = sorted({*before, holder} if there else {*before} - {holder})[:_MOST_HOLDERS]
        self._pass_on(place, claim, before[:1], after[:1])
        key = keys.unclaimed(self._uri, place)
        if after:
            self._context.state.put(key, {**claim, "holders": after})
        else:
            self._context.state.delete(key)

    def _has_owner(self, place: str) -> bool:
        """Whether it is known whose a place is: then nobody can speak there in nobody's name."""
        record = parties.place_record(self._context, place)
        return record is not None and bool(record.get("party"))

    def _take_over(self, place: str) -> Record:
        nameless = self._get("", place)
        if nameless.statements:
            self._change(("", place), replace(nameless, statements=0), -nameless.quantity)
        return {
            "v": 2,
            "quantity": decimal_text(nameless.quantity),
            "n": nameless.statements,
            "holders": [],
            **self._endorsed(),
        }

    def _pass_on(self, place: str, claim: Record, before: list[str], after: list[str]) -> None:
        """Move what is in nobody's name from one who is taken to hold it to another."""
        if before == after:
            return
        quantity = Decimal(claim["quantity"])
        if before and quantity:
            self._change((before[0], place), self._get(before[0], place), -quantity)
        if after and quantity:
            self._change((after[0], place), self._get(after[0], place), quantity)
        if not after and claim["n"]:
            self._change(("", place), Balance(statements=claim["n"]), quantity)
