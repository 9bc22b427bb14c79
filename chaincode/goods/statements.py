"""What an event says of each thing it names."""

from __future__ import annotations

from collections.abc import Iterator

from chaincode.claims import claim_of
from chaincode.context import Context
from chaincode.facts import KINDS, Fact
from chaincode.goods import entries as e
from chaincode.history import Entry, short_name
from epcis.identifiers import identify
from epcis.trails import lot_number, lot_of

_SSCC = "00"
_ENDS = {"destroying": "destroyed"}
SELLING = frozenset({"retail_selling", "dispensing"})
Said = Iterator[tuple[str, Entry]]


def statements(context: Context, fact: Fact) -> Said:
    """Things and what is said of them, for all types of events. ``fact.party`` is known."""
    speak = _SPEAKERS.get(fact.event.type)
    if speak is None:
        return iter(())
    lots, said = fact.event.lots_named, speak(context, fact)
    return _with_lots(said, lots) if lots else said


def _with_lots(said: Said, lots: dict[str, str]) -> Said:
    """An item that is named with its lot is of that lot, whatever is said of it: a recall by lot must find it."""
    for uri, entry in said:
        lot = lots.get(uri)
        yield uri, entry if lot is None else e.with_more(entry, lot=e.shortened(lot))


def _entry(context: Context, fact: Fact, kind: str, **more: object) -> Entry:
    said = {name: value for name, value in more.items() if value is not None}
    if fact.disposition is not None:
        said["d"] = fact.disposition
    return e.make(kind, fact.time, short_name(fact.hex), context.msp, fact.party, fact.place, said)


def _object(context: Context, fact: Fact) -> Said:
    uris = list(dict.fromkeys(fact.event.epc_list))
    if fact.event.action == "ADD" and fact.step not in KINDS:
        return _beginnings(context, fact, uris)
    if fact.event.action == "DELETE":
        return _each(uris, _entry(context, fact, e.END, **{"as": _ENDS.get(fact.step or "", "decommissioned")}))
    if fact.step in KINDS:
        return _each(uris, _claim(context, fact, len(uris)))
    return _each(uris, _entry(context, fact, e.SEE, sold=fact.step if fact.step in SELLING else None))


def _each(uris: list[str], entry: Entry) -> Said:
    return ((uri, entry) for uri in uris)


def _claim(context: Context, fact: Fact, count: int) -> Entry:
    claim = claim_of(context, fact, count)
    return _entry(context, fact, e.CLAIMS[claim.kind], **e.claim_members(claim))


def _beginnings(context: Context, fact: Fact, uris: list[str]) -> Said:
    usual = _entry(context, fact, e.BEGIN)
    number = lot_number(fact.event)
    for uri in uris:
        lot = None if number is None else lot_of(uri, number)
        yield uri, usual if lot is None else e.with_more(usual, lot=e.shortened(lot))


def _aggregation(context: Context, fact: Fact) -> Said:
    event, parent = fact.event, fact.event.parent_id
    if parent is None:
        return
    children = list(dict.fromkeys(event.child_epcs))
    if event.action == "ADD":
        known_as = identify(parent)
        label = True if known_as is not None and known_as.ai == _SSCC else None
        yield parent, _entry(context, fact, e.HANDLE, label=label, **{"in": True})
        yield from _each(children, _entry(context, fact, e.IN, **{"in": e.shortened(parent)}))
    elif event.action == "DELETE":
        whole = not children and not event.child_quantity_list
        yield parent, _entry(context, fact, e.EMPTY if whole else e.HANDLE)
        yield from _each(children, _entry(context, fact, e.OUT, of=e.shortened(parent)))
    elif fact.step in KINDS:
        yield parent, _claim(context, fact, 1)
    else:
        yield parent, _entry(context, fact, e.SEE)


def _transformation(context: Context, fact: Fact) -> Said:
    ended = _entry(context, fact, e.END, **{"as": "consumed"})
    yield from _each(list(dict.fromkeys(fact.event.input_epc_list)), ended)
    yield from _beginnings(context, fact, list(dict.fromkeys(fact.event.output_epc_list)))


def _transaction(context: Context, fact: Fact) -> Said:
    """Things are tied to documents: nothing moves, but what has ended cannot be tied to anything."""
    named = [uri for uri in (fact.event.parent_id, *fact.event.epc_list) if uri is not None]
    return _each(list(dict.fromkeys(named)), _entry(context, fact, e.NAME))


def _association(context: Context, fact: Fact) -> Said:
    """Things are fixed to an asset or a place: custody does not change by that."""
    return _each(list(dict.fromkeys(fact.event.child_epcs)), _entry(context, fact, e.NAME))


_SPEAKERS = {
    "ObjectEvent": _object,
    "AggregationEvent": _aggregation,
    "TransformationEvent": _transformation,
    "TransactionEvent": _transaction,
    "AssociationEvent": _association,
}
