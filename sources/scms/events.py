"""A shipment line as EPCIS events: the lot gets its identity, is released, and is accepted. Pure functions.

Nothing is invented silently: every event carries ``lotline:provenance``, which names the line of the record
and lists which of the event's fields were estimated or made up and by what rule (docs/scms.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sources.scms.actors import PROGRAMME, Actors, Organisations, actors
from sources.scms.dates import Times, times
from sources.scms.lines import Line
from sources.scms.numbering import lot_id, party_id, transaction_id

NAMESPACE = "https://ns.lotline.org/epcis/"
CONTEXT = [{"lotline": NAMESPACE}]
SOURCE = "USAID SCMS Delivery History"
# UN/ECE Recommendation 20: piece. The GTIN stands for one pack, so a piece is a pack.
PIECE = "H87"

# Short, because they stand in every event; docs/scms.md has the rules in full.
_INVENTED = "all identifiers, on GS1's demonstration prefix 952"
_RELEASE_RULE = "scheduled day less the usual days on the way; time of day"


@dataclass(frozen=True, slots=True)
class Spoken:
    """An event and the organisation that says it."""

    msp: str
    step: Literal["commissioning", "release", "acceptance"]
    event: dict[str, Any]


def events_of(line: Line, organisations: Organisations, as_of: date | None = None) -> Iterator[Spoken]:
    """What was known of a line by the evening of ``as_of`` (None: everything), oldest first."""
    when, who = times(line), actors(line, organisations)
    if as_of is not None and when.released.date() > as_of:
        return
    yield Spoken(who.sender.msp, "commissioning", _commissioning(line, who, when))
    yield Spoken(who.sender.msp, "release", _release(line, who, when))
    if when.delivered is None or when.known_delivered is None:
        return
    if as_of is None or when.known_delivered <= as_of:
        yield Spoken(who.receiver.msp, "acceptance", _acceptance(line, who, when.delivered))


def _commissioning(line: Line, who: Actors, when: Times) -> dict[str, Any]:
    """The line's lot number is put on the goods where they leave from.

    CBV: commissioning associates "a class-level identifier, not previously used, with one or more objects".
    It is not the manufacture: where that was stands in the master data, when it was nobody recorded.
    """
    event = _event(line, "ADD", "commissioning", "active", when.commissioned)
    event["readPoint"] = {"id": who.sender_place.id}
    event["bizLocation"] = {"id": who.sender_place.id}
    event["ilmd"] = _extensions(
        productName=line.description,
        productGroup=line.product_group,
        subClassification=line.sub_classification,
        molecule=line.molecule,
        brand=line.brand,
        dosage=line.dosage,
        dosageForm=line.dosage_form,
        unitsPerPack=line.units_per_pack,
        firstLine=line.first_line,
        vendor=line.vendor,
        manufacturingSite=line.site,
        manufacturingSiteId=None if who.site is None else who.site.id,
    )
    event |= _provenance(line, eventTime=_RELEASE_RULE)
    return event


def _release(line: Line, who: Actors, when: Times) -> dict[str, Any]:
    event = _event(line, "OBSERVE", "shipping", "in_transit", when.released)
    event["readPoint"] = {"id": who.sender_place.id}
    event |= _handoff(line, who)
    event |= _extensions(
        promisedAt=_iso(when.promised),
        productName=line.description,
        country=line.country,
        shipmentMode=line.mode,
        incoterm=line.incoterm,
        fulfilVia=line.fulfil_via,
        project=line.project,
        managedBy=line.managed_by,
        vendor=line.vendor,
        quotedOn=None if line.quoted is None else line.quoted.isoformat(),
        orderedOn=None if line.ordered is None else line.ordered.isoformat(),
        valueUsd=line.value,
    )
    event |= _provenance(
        line,
        eventTime=_RELEASE_RULE,
        promisedAt="time of day",
    )
    return event


def _acceptance(line: Line, who: Actors, delivered: datetime) -> dict[str, Any]:
    event = _event(line, "OBSERVE", "receiving", "in_progress", delivered)
    event["readPoint"] = {"id": who.receiver_place.id}
    event["bizLocation"] = {"id": who.receiver_place.id}
    event |= _handoff(line, who)
    event |= _extensions(recordedOn=None if line.recorded is None else line.recorded.isoformat())
    event |= _provenance(
        line,
        eventTime="time of day",
        quantityList="taken to be what was sent",
    )
    return event


def _event(line: Line, action: str, step: str, disposition: str, moment: datetime) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "type": "ObjectEvent",
        "eventTime": _iso(moment),
        "eventTimeZoneOffset": "+00:00",
        "action": action,
        "bizStep": step,
        "disposition": disposition,
        "quantityList": [{"epcClass": lot_id(line.description, line.id), "quantity": line.quantity, "uom": PIECE}],
    }


def _handoff(line: Line, who: Actors) -> dict[str, Any]:
    """Both sides name the same parties, places and papers, so that release and acceptance find each other."""
    papers = [{"type": "desadv", "bizTransaction": transaction_id(who.sender.id, line.shipment)}]
    # The programme numbers its orders to vendors. An order from the client to the programme is a sales order;
    # CBV has no word for it, and "po" would be wrong.
    if not line.order.startswith("SO-"):
        papers.append({"type": "po", "bizTransaction": transaction_id(party_id("programme", PROGRAMME), line.order)})
    return {
        "bizTransactionList": papers,
        "sourceList": [
            {"type": "possessing_party", "source": who.sender.id},
            {"type": "location", "source": who.sender_place.id},
        ],
        "destinationList": [
            {"type": "possessing_party", "destination": who.receiver.id},
            {"type": "location", "destination": who.receiver_place.id},
        ],
    }


def _provenance(line: Line, **estimated: str | None) -> dict[str, Any]:
    return _extensions(
        provenance=_extensions(
            source=SOURCE,
            recordId=line.id,
            invented=_INVENTED,
            estimated=_extensions(**estimated),
        )
    )


def _extensions(**fields: Any) -> dict[str, Any]:
    """Members in Lotline's namespace; what the record does not say is left out."""
    return {f"lotline:{name}": value for name, value in fields.items() if value not in (None, "")}


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
