"""Questions to the read model: plain functions on a connection, answers as dataclasses.

with engine.connect() as connection:
    page = find_events(connection, EventFilter(biz_steps=["shipping"]))
"""

from readmodel.queries.declared import Declaration
from readmodel.queries.events import EventFilter, count_events, event, find_events
from readmodel.queries.exceptions import ExceptionRecord, exception, exceptions
from readmodel.queries.flows import Flow, flows
from readmodel.queries.handoffs import HandoffFilter, HandoffRecord, Line, handoff, handoffs
from readmodel.queries.master_data import MasterDataRecord, master_data
from readmodel.queries.naming import names
from readmodel.queries.overview import DayCount, Lane, Overview, Risk, overview
from readmodel.queries.paging import InvalidTokenError, Page
from readmodel.queries.published import PublishedRecord, publication, published
from readmodel.queries.quarantine import QuarantineRecord, quarantined
from readmodel.queries.records import EventRecord
from readmodel.queries.refusals import RefusalRecord, refusals
from readmodel.queries.registry import PartyRecord, PlaceRecord, parties, party, place, places
from readmodel.queries.stock import Stock, on_hand
from readmodel.queries.things import BalanceRecord, Packed, ThingRecord, thing
from readmodel.queries.trace import (
    Direction,
    Trace,
    TraceEdge,
    TraceEvent,
    TraceFault,
    TraceHandoff,
    TraceNode,
    TraceQuantity,
    trace,
)
from readmodel.queries.transactions import TransactionRecord, transactions
from readmodel.queries.transit import Transit, transit_history

__all__ = [
    "BalanceRecord",
    "DayCount",
    "Declaration",
    "Direction",
    "EventFilter",
    "EventRecord",
    "ExceptionRecord",
    "Flow",
    "HandoffFilter",
    "HandoffRecord",
    "InvalidTokenError",
    "Lane",
    "Line",
    "MasterDataRecord",
    "Overview",
    "Packed",
    "Page",
    "PartyRecord",
    "PlaceRecord",
    "PublishedRecord",
    "QuarantineRecord",
    "RefusalRecord",
    "Risk",
    "Stock",
    "ThingRecord",
    "Trace",
    "TraceEdge",
    "TraceEvent",
    "TraceFault",
    "TraceHandoff",
    "TraceNode",
    "TraceQuantity",
    "TransactionRecord",
    "Transit",
    "count_events",
    "event",
    "exception",
    "exceptions",
    "find_events",
    "flows",
    "handoff",
    "handoffs",
    "master_data",
    "names",
    "on_hand",
    "overview",
    "parties",
    "party",
    "place",
    "places",
    "publication",
    "published",
    "quarantined",
    "refusals",
    "thing",
    "trace",
    "transactions",
    "transit_history",
]
