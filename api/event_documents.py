"""Events from the read model as an EPCISQueryDocument.

An event is given back as it was captured, so that its hash can be computed again; what the ledger knows about
it stands beside the events, in ``lotline:provenance``, never inside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import epcis
from readmodel.queries.declared import Declaration
from readmodel.queries.records import EventRecord

EXAMPLE: dict[str, Any] = {
    "@context": [
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        {"lotline": epcis.LOTLINE_NAMESPACE},
    ],
    "type": "EPCISQueryDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-05-04T07:20:00.000Z",
    "epcisBody": {
        "queryResults": {
            "queryName": "SimpleEventQuery",
            "resultsBody": {
                "eventList": [
                    {
                        "type": "ObjectEvent",
                        "eventID": "ni:///sha-256;3f6c…6e5f?ver=CBV2.0",
                        "eventTime": "2026-05-04T09:12:33.000+02:00",
                        "eventTimeZoneOffset": "+02:00",
                        "recordTime": "2026-05-04T07:12:34.120Z",
                        "action": "OBSERVE",
                        "bizStep": "receiving",
                        "epcList": ["https://id.gs1.org/00/106141412345678908"],
                    }
                ]
            },
            "lotline:provenance": [
                {
                    "event": "ni:///sha-256;3f6c…6e5f?ver=CBV2.0",
                    "hash": "ni:///sha-256;3f6c…6e5f?ver=CBV2.0",
                    "txId": "5f0c8a3e…",
                    "block": 17,
                    "msp": "FarmMSP",
                    "submitter": "x509::CN=scanner,OU=client::CN=ca.FarmMSP",
                    "recordTime": "2026-05-04T07:12:34.120Z",
                    "flags": [],
                    "reporters": [],
                    "otherEventIDs": [],
                    "declares": None,
                    "declaredInError": [],
                }
            ],
        }
    },
}


def query_document(records: Sequence[EventRecord], created: datetime | None = None) -> dict[str, Any]:
    """The document that answers a query with these events, in this order."""
    created = created or datetime.now(UTC)
    events = [epcis.parse_event(record.stored) for record in records]
    rendered = epcis.render_document(events, created)
    event_list = rendered["epcisBody"]["eventList"]
    for event, record in zip(event_list, records, strict=True):
        event.setdefault("eventID", record.event_hash)
        if record.record_time is not None:
            event["recordTime"] = _iso(record.record_time)
    return {
        "@context": _with_lotline(rendered["@context"]),
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": _iso(created),
        "epcisBody": {
            "queryResults": {
                "queryName": "SimpleEventQuery",
                "resultsBody": {"eventList": event_list},
                "lotline:provenance": [provenance(record) for record in records],
            }
        },
    }


def provenance(record: EventRecord) -> dict[str, Any]:
    """Where on the ledger the event stands, who put it there, and what was declared of it.

    ``event`` is its name on the ledger, which is its ``hash`` but where that is another's: a declaration has the hash of
    the event it declares.
    """
    return {
        "event": record.hash,
        "hash": record.event_hash,
        "txId": record.tx_id,
        "block": record.block,
        "msp": record.msp,
        "submitter": record.submitter,
        "device": record.device,
        "recordTime": None if record.record_time is None else _iso(record.record_time),
        "flags": record.flags,
        "reporters": record.reporters,
        "otherEventIDs": record.other_ids,
        "declares": record.declares,
        "declaredInError": [_declaration(declaration) for declaration in record.declared_in_error],
    }


def _declaration(declaration: Declaration) -> dict[str, Any]:
    return {
        "event": declaration.event,
        "msp": declaration.msp,
        "declaredAt": None if declaration.declared_at is None else _iso(declaration.declared_at),
        "reason": declaration.reason,
        "correctiveEventIDs": declaration.corrective_event_ids,
    }


def _with_lotline(context: Any) -> list[Any]:
    entries = list(context) if isinstance(context, list) else [context]
    if any(isinstance(entry, dict) and "lotline" in entry for entry in entries):
        return entries
    return [*entries, {"lotline": epcis.LOTLINE_NAMESPACE}]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
