"""The language of goods: GS1 identifiers, EPCIS 2.0 events, canonical form and event hash. No I/O.

>>> from epcis import parse_document
>>> document = parse_document(open("events.jsonld", "rb").read())
>>> document.events[0].hash
'ni:///sha-256;…?ver=CBV2.0'
"""

from epcis.checks import check
from epcis.context import LOTLINE_NAMESPACE, STANDARD_CONTEXT, Context
from epcis.documents import (
    Document,
    Sifted,
    event_hash,
    parse_document,
    parse_event,
    parse_value,
    pre_hash,
    render_document,
    sift_document,
)
from epcis.elements import (
    BizTransaction,
    Destination,
    ErrorDeclaration,
    Location,
    PersistentDisposition,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Source,
)
from epcis.events import (
    AggregationEvent,
    AssociationEvent,
    Event,
    ExtendedEvent,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
)
from epcis.master_data import MasterData
from epcis.problems import InvalidDocument, Problem

__all__ = [
    "LOTLINE_NAMESPACE",
    "STANDARD_CONTEXT",
    "AggregationEvent",
    "AssociationEvent",
    "BizTransaction",
    "Context",
    "Destination",
    "Document",
    "ErrorDeclaration",
    "Event",
    "ExtendedEvent",
    "InvalidDocument",
    "Location",
    "MasterData",
    "ObjectEvent",
    "PersistentDisposition",
    "Problem",
    "QuantityElement",
    "SensorElement",
    "SensorMetadata",
    "SensorReport",
    "Sifted",
    "Source",
    "TransactionEvent",
    "TransformationEvent",
    "check",
    "event_hash",
    "parse_document",
    "parse_event",
    "parse_value",
    "pre_hash",
    "render_document",
    "sift_document",
]
