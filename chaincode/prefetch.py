"""Which keys a batch will read. Fetched together they cost a few round trips; one by one they would cost thousands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaincode import keys, parties
from chaincode.claims import KINDS, documents_of
from chaincode.context import Context, hash_hex
from chaincode.duplicates import witness
from chaincode.effects import ACCEPTING, RELEASING
from epcis import Event

_ROUNDS = 8  # parents of parents: deeper ones are fetched when they are met


def prefetch(context: Context, events: Iterable[Event]) -> None:
    """Fetch what the events name, then what that refers to."""
    batch = list(events)
    first = [keys.CONFIG]
    for event in batch:
        first.extend(_named(event))
    context.state.prefetch(first)
    context.state.prefetch(key for event in batch for key in (*_known(context, event), *_holdings(context, event)))
    _follow(context, {uri for event in batch for uri in _instances(event)})


def _known(context: Context, event: Event) -> Iterator[str]:
    """The event's own key, unless it is read already or cannot be there."""
    proof = witness(event)
    if proof is not None and context.state.committed(proof) is not None:
        yield keys.event(hash_hex(event.hash))


def _named(event: Event) -> Iterator[str]:
    if witness(event) is None:
        yield keys.event(hash_hex(event.hash))
    if event.event_id is not None:
        yield keys.event_id(event.event_id)
    if event.signature is not None:
        yield keys.device(str(event.signature.get("device", "")))
    for uri in _instances(event):
        yield keys.thing(uri)
    for uri in _classes(event):
        yield keys.lot(uri)
    for uri in parties.named(event):
        yield keys.party(uri)
    named_places = [uri for _, uri in parties.locations(event)]
    for by_type in (parties.sources(event), parties.destinations(event)):
        named_places += [uri for kind, uri in by_type.items() if kind == "location"]
    for uri in named_places:
        yield keys.place(uri)
        yield keys.place(parties.base_place(uri))


def _instances(event: Event) -> Iterator[str]:
    if event.parent_id is not None:
        yield event.parent_id
    yield from event.epc_list
    yield from event.child_epcs
    yield from event.input_epc_list
    yield from event.output_epc_list


def _classes(event: Event) -> Iterator[str]:
    for elements in (
        event.quantity_list,
        event.child_quantity_list,
        event.input_quantity_list,
        event.output_quantity_list,
    ):
        for element in elements:
            yield element.epc_class


def _holdings(context: Context, event: Event) -> Iterator[str]:
    """Balances and open shipments of the lots an event names. A wrong guess costs a read, not a wrong result."""
    classes = list(_classes(event))
    if not classes:
        return
    if event.biz_step in KINDS:
        yield from (keys.document(*document) for document in documents_of(event)[:1])
    holder = _speaker(context, event)
    place = event.biz_location or event.read_point or ""
    to = event.biz_step in RELEASING and _consignee(context, event)
    for uri in classes:
        yield keys.balance(uri, holder or "", place)
        yield keys.balance(uri, "", place)
        if event.parent_id is not None:
            yield keys.loose(event.parent_id, uri)
        if event.biz_step in RELEASING:
            yield keys.claims(uri, to or "")
        elif event.biz_step in ACCEPTING:
            yield keys.claims(uri, holder or "")


def _speaker(context: Context, event: Event) -> str | None:
    stated = parties.sources(event) if event.biz_step in RELEASING else parties.destinations(event)
    if event.biz_step in RELEASING or event.biz_step in ACCEPTING:
        return parties.holding_party(context, stated) or parties.reporter(context, event)
    return parties.reporter(context, event)


def _consignee(context: Context, event: Event) -> str | None:
    return parties.holding_party(context, parties.destinations(event))


def _follow(context: Context, uris: set[str]) -> None:
    """Claims about things, and their parents."""
    seen: set[str] = set()
    for _ in range(_ROUNDS):
        found = [record for uri in sorted(uris - seen) if (record := context.state.get(keys.thing(uri))) is not None]
        seen |= uris
        uris = {record["parent"] for record in found if record["parent"] is not None} - seen
        claims = [keys.claims(record["id"], "") for record in found if record["handoffs"]]
        context.state.prefetch([*map(keys.thing, uris), *claims])
        if not uris:
            return
