"""A lot's header: who made it, when, and what it is counted in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chaincode import keys, rules
from chaincode.context import Context
from chaincode.endorsement import endorsed_as
from chaincode.exceptions import close_exception, open_exception
from chaincode.facts import Fact
from chaincode.history import Base, Entry, History, long_name, short_name
from chaincode.lots.amounts import Amount
from chaincode.rejection import Rejection
from chaincode.state import Record
from epcis.identity import hash_hex
from epcis.prehash import digest_uri
from epcis.units import code_of, unit

_KIND = "LT"
_MENTIONS = 4
"""So many of the first mentions are kept. They decide what an unmade lot's header says, and that it is there at all."""


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as far as anybody has told. ``unit`` is the base unit that it is counted in; None until somebody counted."""

    uri: str
    msp: str
    commissioned: bool
    created: str
    event: str
    unit: str | None = None
    expires: str | None = None
    mentions: tuple[Entry, ...] = ()
    more: bool = False
    """Whether there were more mentions than are kept."""
    making: Record = field(default_factory=dict)
    """The history of its making: ``log``, ``base``, ``pages``."""
    has_trails: bool = True
    """Whether all events that name it are in its trails (chaincode/trails.py)."""
    endorsed: Record = field(default_factory=dict)

    @classmethod
    def from_record(cls, record: Record) -> Lot:
        """From a record of this version or the first."""
        if "v" not in record:
            return _of_first_version(record)
        making: Record = {name: record[name] for name in ("log", "base", "pages") if name in record}
        return cls(
            record["id"],
            record["msp"],
            record["commissioned"],
            record["created"],
            record["event"],
            record.get("unit"),
            record.get("expires"),
            tuple(record.get("mentions", ())),
            record.get("more", False),
            making,
            "trails" in record,
            endorsed_as(record),
        )

    def to_record(self) -> Record:
        """As JSON; what is not said is left out."""
        record: Record = {
            "v": 2,
            "id": self.uri,
            "msp": self.msp,
            "commissioned": self.commissioned,
            "created": self.created,
            "event": self.event,
            "uom": code_of(self.unit or ""),
            **self.making,
            **self.endorsed,
        }
        for name, value in (
            ("trails", self.has_trails or None),
            ("unit", self.unit),
            ("expires", self.expires),
            ("mentions", list(self.mentions) or None),
            ("more", self.more or None),
        ):
            if value is not None:
                record[name] = value
        return record


def _of_first_version(record: Record) -> Lot:
    """What was told of it before histories were kept is its beginning."""
    base, event = unit(record["uom"]).base, short_name(hash_hex(record["event"]))
    told = {"time": record["created"], "event": event, "msp": record["msp"], "unit": base, "first_version": True}
    made = record["commissioned"]
    return Lot(
        record["id"],
        record["msp"],
        made,
        record["created"],
        record["event"],
        base,
        mentions=() if made else ([record["created"], 0, event, record["msp"], None, base],),
        more=True,
        making={"log": [], **({"base": told} if made else {})},
        has_trails=False,
        endorsed=endorsed_as(record),
    )


def load(context: Context, uri: str) -> Lot | None:
    """A lot, None if it was never named."""
    record = context.state.get(keys.lot(uri))
    return None if record is None else Lot.from_record(record)


def made(
    context: Context, fact: Fact, uri: str, amount: Amount, expires: str | None, retracted_by: Fact | None
) -> Lot | None:
    """A lot, or more of it, was made; or that it was is taken back. Raises Rejection."""
    lot = load(context, uri)
    history = _history(context, uri, lot)
    if retracted_by is None:
        rules.lot_is_own(context, uri, context.state.get(keys.lot(uri)))
        _check_unit(uri, lot, amount)
        counted = amount.base if amount.quantity is not None else None
        history.add([fact.time, 0, short_name(fact.hex), context.msp, counted, expires])
    else:
        _remove(history, [fact.time, 0, short_name(fact.hex)])
    mentions, more = (lot.mentions, lot.more) if lot is not None else ((), False)
    return _save(context, retracted_by or fact, uri, lot, history, mentions, more)


def mentioned(context: Context, fact: Fact, uri: str, amount: Amount, retracted_by: Fact | None) -> Lot | None:
    """A lot is named by who need not have made it; or that it was is taken back. Raises Rejection."""
    lot = load(context, uri)
    if retracted_by is None:
        _check_unit(uri, lot, amount)
    counted = amount.base if amount.quantity is not None else None
    mention: Entry = [fact.time, 0, short_name(fact.hex), context.msp, fact.party, counted]
    mentions, more = (lot.mentions, lot.more) if lot is not None else ((), False)
    changed, cut = _with(mentions, mention) if retracted_by is None else (_without(mentions, mention), False)
    if lot is None or changed != mentions or (cut and not more):
        history = _history(context, uri, lot)
        lot = _save(context, retracted_by or fact, uri, lot, history, changed, more or cut)
    if retracted_by is None and lot is not None and not lot.commissioned:
        fact.flags.add("uncommissioned")
    return lot


def _with(mentions: tuple[Entry, ...], mention: Entry) -> tuple[tuple[Entry, ...], bool]:
    """The first mentions with another, and whether one had to be left out. An event's first word about it is kept."""
    known = [one for one in mentions if one[2] == mention[2]]
    if known:
        if known[0][5] is not None or mention[5] is None:
            return mentions, False
        mentions = tuple(one for one in mentions if one[2] != mention[2])
    found = sorted([*mentions, mention], key=lambda one: (one[0], one[2]))
    return tuple(found[:_MENTIONS]), len(found) > _MENTIONS


def _without(mentions: tuple[Entry, ...], mention: Entry) -> tuple[Entry, ...]:
    return tuple(one for one in mentions if one[2] != mention[2])


def _history(context: Context, uri: str, lot: Lot | None) -> History:
    return History(context.state, _KIND, uri, lot.making if lot is not None else None)


def _remove(history: History, place: list[Any]) -> None:
    """Take a making out. All that the first version has told is one beginning, in the name of one event."""
    if history.remove((place[0], place[1], place[2])):
        return
    if history.base is not None and history.base.get("first_version") and history.base["event"] == place[2]:
        history.reach("")
        history.base = None


def _check_unit(uri: str, lot: Lot | None, amount: Amount) -> None:
    """Kilograms and grams add up, kilograms and pieces do not."""
    if lot is None or lot.unit is None or amount.quantity is None or lot.unit == amount.base:
        return
    detail = f"{uri} is counted in {lot.unit or 'pieces'}, which {amount.base or 'pieces'} cannot be converted to"
    raise Rejection("unit_differs", detail, "uom", item=uri)


def _advance(base: Base, entries: Iterable[Entry]) -> Base:
    """The first making, and the first unit and date that any making stated."""
    for entry in entries:
        said = {"time": entry[0], "event": entry[2], "msp": entry[3], "unit": entry[4], "expires": entry[5]}
        base = said if base is None else {**base, **{name: said[name] for name in _LATER if base.get(name) is None}}
    return base


_LATER = ("unit", "expires")


def _save(
    context: Context,
    cause: Fact,
    uri: str,
    before: Lot | None,
    history: History,
    mentions: tuple[Entry, ...],
    more: bool,
) -> Lot | None:
    endorsed = before.endorsed if before is not None else {}
    beginning = _advance(history.base, history.entries)
    lot = None
    if beginning is not None or mentions or more:
        first = beginning or _first_mention(mentions, before)
        units = [first.get("unit"), *(mention[5] for mention in mentions), before.unit if more and before else None]
        lot = Lot(
            uri,
            first["msp"],
            beginning is not None,
            first["time"],
            digest_uri(long_name(first["event"])),
            next((one for one in units if one is not None), None),
            first.get("expires"),
            mentions,
            more,
            history.save(_advance, endorsed),
            before is None or before.has_trails,
            endorsed,
        )
        context.state.put(keys.lot(uri), lot.to_record())
    else:
        history.save(_advance, endorsed)
        context.state.delete(keys.lot(uri))
    _tell(context, cause, uri, before, lot)
    return lot


def _first_mention(mentions: tuple[Entry, ...], before: Lot | None) -> Record:
    if mentions:
        return {"time": mentions[0][0], "event": mentions[0][2], "msp": mentions[0][3]}
    assert before is not None
    return {"time": before.created, "event": short_name(hash_hex(before.event)), "msp": before.msp}


def _tell(context: Context, cause: Fact, uri: str, before: Lot | None, after: Lot | None) -> None:
    """A lot that is in use while nobody reported its making is an open question."""
    was = before is not None and not before.commissioned
    if after is not None and not after.commissioned and not was:
        party = after.mentions[0][4] if after.mentions else cause.party
        detail = f"{uri} is in use; nobody reported its making"
        open_exception(context, cause, "uncommissioned", uri, detail, item=uri, parties=(party,))
    elif was and (after is None or after.commissioned):
        close_exception(context, cause, "uncommissioned", uri)
