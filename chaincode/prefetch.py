"""Which keys a batch will read. Fetched together they cost a few round trips; one by one they would cost thousands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chaincode import keys, lots, parties, trails
from chaincode.claims import documents_of
from chaincode.context import Context
from chaincode.effects import ACCEPTING, RELEASING
from chaincode.facts import KINDS, Fact

_ROUNDS = 8  # parents of parents: deeper ones are fetched when they are met


def prefetch(context: Context, facts: list[Fact]) -> None:
    """Fetch what the events name, then what that refers to."""
    context.state.prefetch([keys.CONFIG, *(key for fact in facts for key in _named(fact))])
    _follow(context, {uri for fact in facts for uri in fact.instances}, [k for f in facts for k in _known(context, f)])


def _named(fact: Fact) -> list[str]:
    event = fact.event
    found = [] if fact.witness is not None else [keys.event(fact.hex)]
    if event.event_id is not None:
        found.append(keys.event_id(event.event_id))
    if event.signature is not None:
        found += _of_device(event.signature)
    found += map(keys.thing, fact.instances)
    found += map(keys.lot, fact.classes)
    found += map(keys.party, parties.named(fact))
    for _, uri in fact.locations:
        found += parties.place_keys(uri)
    for by_type in (fact.sources, fact.destinations):
        if "location" in by_type:
            found += parties.place_keys(by_type["location"])
    return found


def _of_device(signature: dict[str, Any]) -> Iterator[str]:
    """The device, how far it counted, and the neighbours of the event in its chain."""
    device, counter = str(signature.get("device", "")), signature.get("counter")
    yield keys.device(device)
    yield keys.device_chain(device)
    if isinstance(counter, int) and 0 < counter < 10**15:
        yield from (keys.device_scan(device, one) for one in (counter - 1, counter, counter + 1))


def _known(context: Context, fact: Fact) -> list[str]:
    """The event's own key, unless it is read already or cannot be there, and what is known of its lots."""
    is_possible = fact.witness is not None and context.state.committed(fact.witness) is not None
    own = [keys.event(fact.hex)] if is_possible else []
    if fact.named_classes:
        own += trails.keys_of(context, fact)
    return [*own, *_holdings(context, fact)] if fact.classes else own


def _holdings(context: Context, fact: Fact) -> Iterator[str]:
    """Balances and open shipments of the lots an event names. A wrong guess costs a read, not a wrong result."""
    holder = _speaker(context, fact)
    consignee = (parties.consignee(context, fact) if fact.step in RELEASING else holder) or ""
    for uri in fact.classes:
        yield keys.balance(uri, holder or "", fact.place or "")
        yield keys.unclaimed(uri, fact.place or "")
        if fact.event.parent_id is not None:
            yield keys.loose(fact.event.parent_id, uri)
            yield keys.loose_history(fact.event.parent_id, uri)
        if fact.step in KINDS:
            yield from lots.keys_of_shipment(uri, consignee, documents_of(fact.event)[:1])


def _speaker(context: Context, fact: Fact) -> str | None:
    if fact.step in RELEASING or fact.step in ACCEPTING:
        stated = fact.sources if fact.step in RELEASING else fact.destinations
        return parties.holding_party(context, stated) or parties.reporter(context, fact)
    return parties.reporter(context, fact)


def _follow(context: Context, uris: set[str], others: list[str]) -> None:
    """Claims about things, and their parents; ``others`` with the first of them."""
    seen: set[str] = set()
    for _ in range(_ROUNDS):
        found = [record for uri in sorted(uris - seen) if (record := context.state.get(keys.thing(uri))) is not None]
        seen |= uris
        uris = {record["parent"] for record in found if record["parent"] is not None} - seen
        claims = [keys.claims(record["id"], "") for record in found if record.get("handoffs")]  # of the first version
        context.state.prefetch([*others, *map(keys.thing, uris), *claims])
        others = []
        if not uris:
            return
