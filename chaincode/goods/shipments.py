"""Things released together. Where a shipment was counted on arrival, what has not arrived is missing.

Things that are scanned one by one tell nothing about those that are not scanned yet; several in one event, or one by the shipment's
document, do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaincode import keys
from chaincode.goods import entries as e
from chaincode.history import short_name
from epcis.identity import hash_hex

if TYPE_CHECKING:
    from chaincode.goods.settle import Settling


def note(settling: Settling) -> None:
    """Where an event releases several things, remember which."""
    fact, items = settling.fact, settling.released
    if len(items) > 1:
        settling.context.state.put(keys.shipment(fact.hash), {"v": 2, "items": items, "time": fact.time})


def count(settling: Settling) -> bool:
    """Bring the counts of shipments up to date; whether things have to be looked at again because of it."""
    before = list(settling.counted_now())
    stirred = False
    for uri, was, now in before:
        settling.counted[uri] = now
        for event in sorted(now - was):
            stirred |= _add(settling, event, 1)
        for event in sorted(was - now):
            stirred |= _add(settling, event, -1)
    return stirred


def _add(settling: Settling, event: str, change: int) -> bool:
    state, key = settling.context.state, keys.counted(event)
    known = state.get(key)
    n = (known["n"] if known is not None else 0) + change
    if n > 0:
        state.put(key, {"n": n})
    else:
        state.delete(key)
    if (known is None) == (n <= 0):
        return False
    return _mark(settling, event, counted=n > 0)


def _mark(settling: Settling, event: str, *, counted: bool) -> bool:
    """Say in the releases of all that was released together that some of it was counted."""
    shipment = settling.context.state.get(keys.shipment(event))
    if shipment is None or "time" not in shipment:
        return False
    state = settling.context.state
    state.prefetch(map(keys.thing, shipment["items"]))
    place = (shipment["time"], e.RANKS[e.RELEASE], short_name(hash_hex(event)))
    for uri in shipment["items"]:
        thing = settling.thing(uri)
        release = thing.find(place)
        if release is not None:
            thing.replace(e.with_more(release, counted=counted or None))
            settling.stir(uri)
    return True
