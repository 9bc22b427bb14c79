"""Events of a supply chain in miniature, as many as wanted: five items are made, packed, shipped as a pallet, received."""

from __future__ import annotations

import epcis
from chaincode.batch_form import encode
from epcis.identifiers import check_digit, gln, pgln, sgtin, sscc

_GTIN_BODY = "0950600013435"
EVENTS_A_PALLET = 8
Stored = tuple[str, bytes]
"""Who says it (A or B), and the event in stored form."""


def pallets(count: int, first: int = 0) -> list[Stored]:
    """``EVENTS_A_PALLET`` events for each pallet from number ``first`` on: the last is B's, the others A's."""
    return [said for number in range(first, first + count) for said in _pallet(number)]


def _pallet(number: int) -> list[Stored]:
    items = [sgtin(_GTIN_BODY + check_digit(_GTIN_BODY), f"{number}x{n}") for n in range(5)]
    pallet = numbered(sscc, f"0950600{number:010d}")
    dock, shop = (numbered(gln, f"9506000{n:05d}") for n in (1, 2))
    maker, buyer = (numbered(pgln, f"9506000{n:05d}") for n in (1, 2))
    note = [{"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:9506000000018:D{number}"}]
    source, destination = {"type": "owning_party", "source": maker}, {"type": "owning_party", "destination": buyer}
    made = [
        _event("A", 1, dock, "ADD", "commissioning", disposition="active", epcList=[item], bizLocation={"id": dock})
        for item in items
    ]
    packed = _event(
        "A",
        2,
        dock,
        "ADD",
        "packing",
        type="AggregationEvent",
        parentID=pallet,
        childEPCs=items,
        bizLocation={"id": dock},
    )
    shipped = _event(
        "A", 3, dock, "OBSERVE", "shipping", disposition="in_transit", epcList=[pallet],
        bizTransactionList=note, sourceList=[source], destinationList=[destination],
    )  # fmt: skip
    received = _event(
        "B", 9, shop, "OBSERVE", "receiving", disposition="in_progress", epcList=[pallet],
        bizLocation={"id": shop}, bizTransactionList=note, destinationList=[destination],
    )  # fmt: skip
    return [*made, packed, shipped, received]


def numbered(make: object, body: str) -> str:
    """An identifier of a number without its check digit."""
    return str(make(body + check_digit(body)))  # type: ignore[operator]


def _event(who: str, minute: int, place: str, action: str, step: str, **fields: object) -> Stored:
    document = {
        "type": "ObjectEvent",
        "eventTime": f"2024-03-01T08:{minute:02d}:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "action": action,
        "bizStep": step,
        "readPoint": {"id": place},
        **fields,
    }
    return who, epcis.parse_event(document).to_stored()


def batches(said: list[Stored], size: int) -> list[tuple[str, bytes, int]]:
    """Arguments of ``capture``, what A says first: who, the batch, how many events."""
    found = []
    for who in ("A", "B"):
        events = [event for speaker, event in said if speaker == who]
        for start in range(0, len(events), size):
            part = events[start : start + size]
            batch = b'{"groups":[{"id":"1","onError":"proceed","events":[' + b",".join(part) + b"]}]}"
            found.append((who, encode(batch), len(part)))
    return found
