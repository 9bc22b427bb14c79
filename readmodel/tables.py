"""The tables made from blocks. docs/read-model.md says what each is for.

Everything here can be thrown away and rebuilt. Surrogate ids are dense integers given in ledger order, so
that the same chain always gives the same ids (and ``max(id)`` is a count). Handoffs and exceptions, which may go again,
have the place of their first writing for an id. There are no foreign keys: the projector is the only writer, and
checking them would double its work to guard against nobody else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Index, String, UniqueConstraint, literal_column, text
from sqlmodel import Field, SQLModel

from readmodel.columns import Id, Json, Quantity, Timestamp

# A table whose rows live in its primary key's own tree: one lookup instead of two, and no hidden row number.
_CLUSTERED = {"sqlite_with_rowid": False}


def _where(name: str, *columns: str, only: str) -> Index:
    """An index of the rows anybody looks for by it; an index is paid for with every row that is in it."""
    return Index(name, *columns, sqlite_where=text(only), postgresql_where=text(only))


def _given(name: str, column: str, *more: str) -> Index:
    """An index of the rows that have a value in the first column."""
    return _where(name, column, *more, only=f"{column} IS NOT NULL")


# The last segment of a thing's link in lower case (its lot, serial or pallet number), in functions that both databases have: what
# stands before it is what is left when all characters that are no slash are taken off the end.
_NUMBER = "lower(replace(uri, rtrim(uri, replace(uri, '/', '')), ''))"
NUMBER_OF_THING: ColumnElement[str] = literal_column(_NUMBER, String)
"""Of ``Thing``; has an index."""


class Block(SQLModel, table=True):
    """A block that was applied. The highest number is the projector's checkpoint."""

    number: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    header_hash: str
    previous_hash: str
    data_hash: str
    transactions: int


class Transaction(SQLModel, table=True):
    """A transaction of a block, valid or not: an invalid one is evidence too."""

    __table_args__: ClassVar[Any] = (
        UniqueConstraint("block", "position"),
        Index("ix_transaction_tx_id", "tx_id"),
        _where("ix_transaction_code", "code", only="code > 0"),
    )

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    block: int = Field(sa_type=Id)
    position: int
    tx_id: str
    type: int
    timestamp: datetime | None = Field(default=None, sa_type=Timestamp)
    msp: str | None = None
    function: str | None = None
    code: int
    valid: bool
    events: int


class Event(SQLModel, table=True):
    """An accepted event. ``stored`` is its canonical JSON, from which the same hash is computed again."""

    __table_args__: ClassVar[Any] = (
        Index("ix_event_hash", "hash", unique=True),
        _given("ix_event_event_id", "event_id"),
        Index("ix_event_event_time", "event_time"),
        Index("ix_event_record_time", "record_time"),
        Index("ix_event_type", "type", "event_time"),
        Index("ix_event_action", "action", "event_time"),
        Index("ix_event_msp", "msp", "event_time"),
        _given("ix_event_biz_step", "biz_step", "event_time"),
        _given("ix_event_disposition", "disposition", "event_time"),
        _given("ix_event_read_point", "read_point_id", "event_time"),
        _given("ix_event_biz_location", "biz_location_id", "event_time"),
        _given("ix_event_declares", "declares"),
    )

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    hash: str
    """Its name on the ledger in hex, which is its CBV hash, ``ni:///sha-256;<hash>?ver=CBV2.0``, unless ``event_hash`` says
    another."""
    event_hash: str | None = None
    """Its CBV hash in hex where that is the name of an event with other content, or of the event that it declares in error."""
    event_id: str | None = None
    type: str
    action: str | None = None
    biz_step: str | None = None
    disposition: str | None = None
    event_time: datetime = Field(sa_type=Timestamp)
    time_zone: str | None = None
    record_time: datetime | None = Field(default=None, sa_type=Timestamp)
    read_point_id: int | None = Field(default=None, sa_type=Id)
    biz_location_id: int | None = Field(default=None, sa_type=Id)
    party_id: int | None = Field(default=None, sa_type=Id)
    msp: str | None = None
    submitter: str | None = None
    device: str | None = None
    flags: list[str] | None = Field(default=None, sa_type=Json)
    declares: str | None = None
    """Of an error declaration: the name (hex) of the event it takes back."""
    declared_by: list[str] | None = Field(default=None, sa_type=Json)
    """The names (hex) of the declarations that took it back; null: what it says counts."""
    reporters: list[str] | None = Field(default=None, sa_type=Json)
    """The other organisations that reported the same event."""
    transaction_id: int = Field(sa_type=Id)
    stored: str


class EventNote(SQLModel, table=True):
    """What was said about an event, which may come later."""

    __tablename__ = "event_note"
    __table_args__: ClassVar[Any] = _CLUSTERED

    hash: str = Field(primary_key=True)
    declarations: list[str] = Field(sa_type=Json)
    reporters: list[str] = Field(sa_type=Json)


class EventAlias(SQLModel, table=True):
    """An eventID that names an event and is not in it: given later, by who else reported it, or by its declaration."""

    __tablename__ = "event_alias"
    __table_args__: ClassVar[Any] = (Index("ix_event_alias_hash", "hash"), _CLUSTERED)

    identifier: str = Field(primary_key=True)
    hash: str = Field(primary_key=True)


class EventEpc(SQLModel, table=True):
    """A thing an event names, and as what. Ordered by thing and time: a thing's history is one range."""

    __tablename__ = "event_epc"
    __table_args__: ClassVar[Any] = _CLUSTERED

    thing_id: int = Field(primary_key=True, sa_type=Id)
    event_time: datetime = Field(primary_key=True, sa_type=Timestamp)
    event_id: int = Field(primary_key=True, sa_type=Id)
    n: int = Field(primary_key=True)
    role: str
    """The EPCIS field: epcList, parentID, childEPCs, inputEPCList, outputEPCList or a quantity list."""
    quantity: float | None = Field(default=None, sa_type=Quantity)
    uom: str | None = None


class EventLink(SQLModel, table=True):
    """A business transaction, source, destination or transformation id an event names."""

    __tablename__ = "event_link"
    __table_args__: ClassVar[Any] = _CLUSTERED

    kind: str = Field(primary_key=True)
    """bizTransaction, source, destination or transformation."""
    value: str = Field(primary_key=True)
    type: str = Field(primary_key=True)
    event_id: int = Field(primary_key=True, sa_type=Id)


class Thing(SQLModel, table=True):
    """Whatever events name: an instance, a lot, a product (GTIN) or another class, with its state on the
    ledger.

    ``holder_id`` and ``place_id`` are null while it has a parent: its outermost parent has them.
    """

    __table_args__: ClassVar[Any] = (
        Index("ix_thing_uri", "uri", unique=True),
        Index("ix_thing_number", text(_NUMBER)),
        _given("ix_thing_product", "product_id"),
        _given("ix_thing_lot", "lot_id"),
        _given("ix_thing_parent", "parent_id"),
        _given("ix_thing_place", "place_id"),
    )

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    uri: str
    kind: str
    """instance, lot, product (a GTIN without lot or serial) or class (any other identifier of many
    things)."""
    product_id: int | None = Field(default=None, sa_type=Id)
    lot_id: int | None = Field(default=None, sa_type=Id)
    msp: str | None = None
    holder_id: int | None = Field(default=None, sa_type=Id)
    place_id: int | None = Field(default=None, sa_type=Id)
    parent_id: int | None = Field(default=None, sa_type=Id)
    status: str | None = None
    disposition: str | None = None
    commissioned: bool | None = None
    uom: str | None = None
    updated_at: datetime | None = Field(default=None, sa_type=Timestamp)
    endorsers: list[str] | None = Field(default=None, sa_type=Json)
    """The organisations that must agree to every change of it; null for what the channel's majority decides."""


class PackedQuantity(SQLModel, table=True):
    """Loose quantities of a class inside a parent now, as the ledger has them."""

    __tablename__ = "packed_quantity"
    __table_args__: ClassVar[Any] = (Index("ix_packed_quantity_thing", "thing_id"), _CLUSTERED)

    parent_id: int = Field(primary_key=True, sa_type=Id)
    thing_id: int = Field(primary_key=True, sa_type=Id)
    quantity: str | None = None
    uom: str | None = None


class Packing(SQLModel, table=True):
    """What events say of a child being in a parent: the facts behind containment intervals.

    ``child_id`` 0 stands for all children (a DELETE that names none), ``parent_id`` 0 for whatever the child
    is in: it was used up, sold for good, destroyed (DELETE), or shipped or received (MOVE).
    """

    __table_args__: ClassVar[Any] = _CLUSTERED

    child_id: int = Field(primary_key=True, sa_type=Id)
    kind: str = Field(primary_key=True)
    """aggregation (one parent at a time), quantity (some of a class) or association (any parents at once)."""
    scope: int = Field(primary_key=True, sa_type=Id)
    """The parent whose stays these facts make; 0 where they tell of all of the child's parents together."""
    event_time: datetime = Field(primary_key=True, sa_type=Timestamp)
    event_id: int = Field(primary_key=True, sa_type=Id)
    n: int = Field(primary_key=True)
    parent_id: int = Field(sa_type=Id)
    mark: str
    """The event's place among those of one time: its rank, then its hash as the contract orders it."""
    action: str
    quantity: float | None = Field(default=None, sa_type=Quantity)
    uom: str | None = None


class Containment(SQLModel, table=True):
    """Child in parent from ``from_time`` (null: before anything was recorded) to ``to_time`` (null: still)."""

    __table_args__: ClassVar[Any] = (
        Index("ix_containment_parent", "parent_id", "to_time"),
        _CLUSTERED,
    )

    child_id: int = Field(primary_key=True, sa_type=Id)
    kind: str = Field(primary_key=True)
    scope: int = Field(primary_key=True, sa_type=Id)
    """As in :class:`Packing`: a child's stays of one scope follow one another."""
    start: int = Field(primary_key=True, sa_type=Id)
    """``from_time`` in microseconds, long ago where that is null."""
    parent_id: int = Field(primary_key=True, sa_type=Id)
    mark: str = Field(primary_key=True)
    """The place, among those of its time, of the event that began it; of the one that ended it, with a "?" before, where
    nobody said how it began."""
    from_time: datetime | None = Field(default=None, sa_type=Timestamp)
    to_time: datetime | None = Field(default=None, sa_type=Timestamp)
    to_mark: str | None = None
    from_event_id: int | None = Field(default=None, sa_type=Id)
    to_event_id: int | None = Field(default=None, sa_type=Id)
    quantity: float | None = Field(default=None, sa_type=Quantity)
    uom: str | None = None


class Transformation(SQLModel, table=True):
    """One making of outputs from inputs: a TransformationEvent, or one organisation's events tied by
    transformationID."""

    __table_args__: ClassVar[Any] = (UniqueConstraint("key"),)

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    key: str
    transformation_id: str | None = None


class TransformationEdge(SQLModel, table=True):
    """An input or output of a transformation. 100 inputs and 1,000 outputs are 1,100 rows so, not 100,000."""

    __tablename__ = "transformation_edge"
    __table_args__: ClassVar[Any] = (
        Index("ix_transformation_edge_transformation", "transformation_id", "side"),
        _CLUSTERED,
    )

    thing_id: int = Field(primary_key=True, sa_type=Id)
    side: str = Field(primary_key=True)
    """input or output."""
    transformation_id: int = Field(primary_key=True, sa_type=Id)
    event_id: int = Field(primary_key=True, sa_type=Id)
    n: int = Field(primary_key=True)
    event_time: datetime = Field(sa_type=Timestamp)
    quantity: float | None = Field(default=None, sa_type=Quantity)
    uom: str | None = None


class Balance(SQLModel, table=True):
    """How much of a class a holder has at a place. ``holder_id`` or ``place_id`` 0: not known."""

    __table_args__: ClassVar[Any] = (
        Index("ix_balance_place", "place_id", "thing_id"),
        Index("ix_balance_holder", "holder_id", "thing_id"),
        _CLUSTERED,
    )

    thing_id: int = Field(primary_key=True, sa_type=Id)
    holder_id: int = Field(primary_key=True, sa_type=Id)
    place_id: int = Field(primary_key=True, sa_type=Id)
    quantity: str
    """The ledger's exact decimal."""
    amount: float = Field(sa_type=Quantity)
    """The same, for sums in SQL."""
    uom: str | None = None
    updated_at: datetime | None = Field(default=None, sa_type=Timestamp)


class Handoff(SQLModel, table=True):
    """One item, one hop. Transit history is the rows with both ``released_at`` and ``accepted_at``."""

    __table_args__: ClassVar[Any] = (
        Index("ix_handoff_key", "key", unique=True),
        Index("ix_handoff_item", "item_id", "released_at", "accepted_at"),
        Index("ix_handoff_status", "status", "promised_at"),
        _given("ix_handoff_accepted", "accepted_at"),
        _given("ix_handoff_released", "released_at"),
        _where("ix_handoff_unreleased", "accepted_at", only="released_at IS NULL"),
        _given("ix_handoff_from_party", "from_party_id", "released_at"),
        _given("ix_handoff_to_party", "to_party_id", "released_at"),
        _given("ix_handoff_from_place", "from_place_id", "released_at"),
        _given("ix_handoff_to_place", "to_place_id", "released_at"),
        _given("ix_handoff_reference", "reference"),
    )

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    key: str
    """The handoff's id on the ledger."""
    item_id: int = Field(sa_type=Id)
    kind: str
    status: str
    from_party_id: int | None = Field(default=None, sa_type=Id)
    to_party_id: int | None = Field(default=None, sa_type=Id)
    from_place_id: int | None = Field(default=None, sa_type=Id)
    to_place_id: int | None = Field(default=None, sa_type=Id)
    reference_type: str | None = None
    reference: str | None = None
    released: str | None = None
    accepted: str | None = None
    uom: str | None = None
    released_at: datetime | None = Field(default=None, sa_type=Timestamp)
    accepted_at: datetime | None = Field(default=None, sa_type=Timestamp)
    promised_at: datetime | None = Field(default=None, sa_type=Timestamp)
    from_msp: str | None = None
    to_msp: str | None = None
    release_events: list[str] | None = Field(default=None, sa_type=Json)
    accept_events: list[str] | None = Field(default=None, sa_type=Json)


class HandoffLine(SQLModel, table=True):
    """What a handoff moves, by product: a pallet's contents as it left (or arrived, if only that is
    known)."""

    __tablename__ = "handoff_line"
    __table_args__: ClassVar[Any] = (Index("ix_handoff_line_product", "product_id", "handoff_id"), _CLUSTERED)

    handoff_id: int = Field(primary_key=True, sa_type=Id)
    product_id: int = Field(primary_key=True, sa_type=Id)
    uom: str = Field(primary_key=True)
    released: float | None = Field(default=None, sa_type=Quantity)
    accepted: float | None = Field(default=None, sa_type=Quantity)


class ExceptionCase(SQLModel, table=True):
    """A shortage, overage, wrong lot … the ledger opened by itself, and what closed it."""

    __tablename__ = "exception"
    __table_args__: ClassVar[Any] = (
        Index("ix_exception_key", "key", unique=True),
        Index("ix_exception_status", "status", "opened_at"),
        Index("ix_exception_opened", "opened_at"),
        _given("ix_exception_handoff", "handoff"),
        _given("ix_exception_item", "item_id"),
    )

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    key: str
    kind: str
    status: str
    handoff: str | None = None
    """The handoff's id on the ledger."""
    item_id: int | None = Field(default=None, sa_type=Id)
    event: str | None = None
    closed_by: str | None = None
    detail: str | None = None
    opened_at: datetime | None = Field(default=None, sa_type=Timestamp)
    closed_at: datetime | None = Field(default=None, sa_type=Timestamp)


class ExceptionParty(SQLModel, table=True):
    """Whom an exception concerns."""

    __tablename__ = "exception_party"
    __table_args__: ClassVar[Any] = (Index("ix_exception_party_party", "party_id", "exception_id"), _CLUSTERED)

    exception_id: int = Field(primary_key=True, sa_type=Id)
    party_id: int = Field(primary_key=True, sa_type=Id)


class Refusal(SQLModel, table=True):
    """An attempt that the contract refused: nothing came of it, but it was made."""

    __table_args__: ClassVar[Any] = (
        Index("ix_refusal_item", "item"),
        Index("ix_refusal_code", "code"),
        Index("ix_refusal_refused", "refused_at"),
    )

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    transaction_id: int = Field(sa_type=Id)
    n: int
    """Which event of the transaction it was, from 0."""
    event: str | None = None
    """The event's hash in hex, where there is an event to name."""
    code: str
    detail: str | None = None
    field: str | None = None
    item: str | None = None
    """What it was about. Text: nothing need be known of it but the attempt."""
    msp: str | None = None
    submitter: str | None = None
    refused_at: datetime | None = Field(default=None, sa_type=Timestamp)


class RefusalConcern(SQLModel, table=True):
    """Whom a refused attempt concerns: a party, or an organisation of which no party is known."""

    __tablename__ = "refusal_concern"
    __table_args__: ClassVar[Any] = (Index("ix_refusal_concern_whom", "whom", "refusal_id"), _CLUSTERED)

    refusal_id: int = Field(primary_key=True, sa_type=Id)
    kind: str = Field(primary_key=True)
    """party or organisation."""
    whom: str = Field(primary_key=True)


class Quarantine(SQLModel, table=True):
    """Something on the ledger that cannot be read: set aside as evidence, while everything else goes on."""

    __table_args__: ClassVar[Any] = _CLUSTERED

    transaction_id: int = Field(primary_key=True, sa_type=Id)
    n: int = Field(primary_key=True)
    """Which write of the transaction; -1: its answer, -2: all of it."""
    block: int = Field(sa_type=Id)
    tx_id: str
    kind: str
    """The record's type, as in docs/contract.md; ``answer`` or ``transaction``."""
    key: str
    """The record's key without its type."""
    reason: str
    raw: str
    """The beginning of what was written, in base64."""
    size: int
    """Its length in bytes."""
    digest: str
    """Its SHA-256 in hex."""


class MasterData(SQLModel, table=True):
    """What an organisation calls a product, place, party or other thing, and what else it says of it."""

    __tablename__ = "master_data"
    __table_args__: ClassVar[Any] = _CLUSTERED

    id: str = Field(primary_key=True)
    msp: str = Field(primary_key=True)
    kind: str
    """product, place, party or other."""
    name: str | None = None
    attributes: dict[str, Any] = Field(sa_type=Json)


class RecallMark(SQLModel, table=True):
    """An event that says of a thing that it is recalled, or that it is so no more. Whether it counts is for
    the question to find out: the maker and whoever holds it may say so."""

    __tablename__ = "recall_mark"
    __table_args__: ClassVar[Any] = _CLUSTERED

    thing_id: int = Field(primary_key=True, sa_type=Id)
    event_time: datetime = Field(primary_key=True, sa_type=Timestamp)
    event_id: int = Field(primary_key=True, sa_type=Id)
    recalled: bool


class Party(SQLModel, table=True):
    """A party named anywhere on the ledger; ``registered`` when some organisation owns it."""

    __table_args__: ClassVar[Any] = (Index("ix_party_uri", "uri", unique=True),)

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    uri: str
    registered: bool = False
    adopted: bool = False
    msp: str | None = None
    name: str | None = None
    detail: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """The ledger's whole record."""


class Place(SQLModel, table=True):
    """A place named anywhere on the ledger; ``registered`` when some organisation owns it."""

    __table_args__: ClassVar[Any] = (
        Index("ix_place_uri", "uri", unique=True),
        _given("ix_place_country", "country"),
        _given("ix_place_party", "party_id"),
    )

    id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    uri: str
    registered: bool = False
    adopted: bool = False
    msp: str | None = None
    party_id: int | None = Field(default=None, sa_type=Id)
    name: str | None = None
    kind: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    country: str | None = None
    detail: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """The ledger's whole record, with the address."""


class Device(SQLModel, table=True):
    """A scanner whose signatures the ledger knows."""

    id: str = Field(primary_key=True)
    msp: str | None = None
    party_id: int | None = Field(default=None, sa_type=Id)
    algorithm: str | None = None
    public_key: str | None = None
    name: str | None = None
    status: str | None = None
    detail: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """What of these it has: ``place``, ``since``, ``chained``, ``succeeds``, ``revocation``, ``before`` (docs/contract.md)."""


class DeviceChain(SQLModel, table=True):
    """How far a device counted what it signed, and how much of that the ledger knows."""

    __tablename__ = "device_chain"

    id: str = Field(primary_key=True)
    counter: int = Field(sa_type=Id)
    known: int = Field(sa_type=Id)
    explained: int = Field(sa_type=Id)
    """So many may stay missing."""
    received: datetime | None = Field(default=None, sa_type=Timestamp)
    """The time of the transaction with its latest event."""


class Published(SQLModel, table=True):
    """The digest of a model or forecast, committed to the ledger before the days it speaks of."""

    __table_args__: ClassVar[Any] = _CLUSTERED

    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: str | None = None
    msp: str | None = None
    submitter: str | None = None
    transaction_id: int = Field(sa_type=Id)
    published_at: datetime | None = Field(default=None, sa_type=Timestamp)
    document: dict[str, Any] = Field(sa_type=Json)


class Config(SQLModel, table=True):
    """The channel's rules as the ledger has them."""

    key: str = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_type=Json)


class DailyFlow(SQLModel, table=True):
    """How much of a product moved on a (UTC) day, by party and place; ``party_id`` or ``place_id`` 0: not
    known.

    ``flow`` is produced or received (in); shipped, sold, consumed or removed (out). docs/read-model.md says
    which event counts as which.
    """

    __tablename__ = "daily_flow"
    __table_args__: ClassVar[Any] = (
        Index("ix_daily_flow_place", "place_id", "product_id", "day"),
        Index("ix_daily_flow_day", "day"),
        _CLUSTERED,
    )

    product_id: int = Field(primary_key=True, sa_type=Id)
    flow: str = Field(primary_key=True)
    day: int = Field(primary_key=True)
    """Days since 1970-01-01."""
    party_id: int = Field(primary_key=True, sa_type=Id)
    place_id: int = Field(primary_key=True, sa_type=Id)
    uom: str = Field(primary_key=True)
    """UN/ECE Rec 20 code; empty: pieces."""
    quantity: float = Field(sa_type=Quantity)
    movements: int
