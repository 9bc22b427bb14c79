"""The five EPCIS 2.0 event types, and user-defined ones, as immutable Pydantic models.

A model accepts exactly what GS1's JSON Schema accepts; what the schema cannot say is found by
:func:`epcis.check`. Members that are not of the standard are kept in ``extensions``.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from epcis import fields as f
from epcis.content import digest_of
from epcis.context import GS1_ONLY, STANDARD_CONTEXT, Context
from epcis.elements import (
    BizTransaction,
    Destination,
    ErrorDeclaration,
    Location,
    PersistentDisposition,
    QuantityElement,
    SensorElement,
    Source,
)
from epcis.formats import parse_date_time
from epcis.identifiers import Spelled
from epcis.prehash import hash_uri, pre_hash_of
from epcis.written_form import with_links, with_urns, written

Action = Literal["OBSERVE", "ADD", "DELETE"]
Ilmd = dict[f.ExtensionName, Any]

# A list that was not sent is empty; Pydantic remembers what was sent, so nothing is added on the way out.
_NOT_SENT: Any = ()
_INSTANCES = ("epc_list", "child_epcs", "input_epc_list", "output_epc_list")
_CLASSES = ("quantity_list", "child_quantity_list", "input_quantity_list", "output_quantity_list")
_NOT_STORED = {"record_time"}
_STORED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS


class Event(BaseModel):
    """What every event has. ``hash`` is its identity: two captures of one event have the same hash.

    Any event can be asked for any field of the standard: one that its type does not have is None, or an empty
    list. ``vars(event)`` has the fields that its type has, by the names below and in the types below, whatever was
    sent: of an event of a type of one's own only those that every event has, although its members may be named like
    others. Whoever wants to know what an event says reads it by these fields and not by its JSON.

    Things, places and parties are named by canonical links. What else was said of them stays with them
    (:class:`epcis.identifiers.Spelled`) and is stored; ``lots_named`` has the lots. A list names a thing once, though
    it may have been sent in two spellings.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="allow")
    __pydantic_extra__: dict[f.ExtensionName, Any] = Field(init=False)

    # which of these a type has: an event is asked for all of them, many times a second
    _instance_fields: ClassVar[tuple[str, ...]] = _INSTANCES
    _class_fields: ClassVar[tuple[str, ...]] = _CLASSES

    type: str
    event_time_text: f.DateTime = Field(alias="eventTime")
    record_time: f.Optional[f.DateTime] = None
    event_time_zone_offset: f.ZoneOffset
    event_id: f.Optional[f.Uri] = Field(default=None, alias="eventID")
    certification_info: f.Optional[f.UriOrUris] = None
    error_declaration: f.Optional[ErrorDeclaration] = None

    if TYPE_CHECKING:
        action: Action | None
        biz_step: str | None
        disposition: str | None
        persistent_disposition: PersistentDisposition | None
        read_point_detail: Location | None
        biz_location_detail: Location | None
        parent_id: str | None
        transformation_id: str | None
        epc_list: list[str]
        child_epcs: list[str]
        input_epc_list: list[str]
        output_epc_list: list[str]
        quantity_list: list[QuantityElement]
        child_quantity_list: list[QuantityElement]
        input_quantity_list: list[QuantityElement]
        output_quantity_list: list[QuantityElement]
        biz_transaction_list: list[BizTransaction]
        source_list: list[Source]
        destination_list: list[Destination]
        sensor_element_list: list[SensorElement]
        ilmd: dict[str, Any] | None

    @property
    def event_time(self) -> datetime:
        """When it happened: aware, in the zone it was written in."""
        return parse_date_time(self.event_time_text)

    @property
    def read_point(self) -> str | None:
        """Where it was seen, as a canonical Digital Link if it is a GS1 location."""
        return self.read_point_detail.id if self.read_point_detail is not None else None

    @property
    def biz_location(self) -> str | None:
        """Where the things are afterwards, until another event says otherwise."""
        return self.biz_location_detail.id if self.biz_location_detail is not None else None

    @property
    def instances(self) -> list[str]:
        """Every instance that it names, a parent first."""
        said = vars(self)
        parent = said.get("parent_id")
        named = [] if parent is None else [parent]
        for field in self._instance_fields:
            named += said.get(field, ())
        return named

    @property
    def classes(self) -> list[str]:
        """The class of every quantity that it names."""
        said = vars(self)
        return [element.epc_class for field in self._class_fields for element in said.get(field, ())]

    @property
    def lots_named(self) -> dict[str, str]:
        """The lot that an instance was named with, by instance: of ``…/01/GTIN/10/LOT/21/SERIAL`` that ``…/10/LOT``."""
        lots: dict[str, str] = {}
        for uri in [*self.instances, *(uri for listed in self.repeated.values() for uri in listed)]:
            if isinstance(uri, Spelled) and uri.lot is not None:
                lots.setdefault(str(uri), uri.lot)
        return lots

    @property
    def repeated(self) -> dict[str, list[str]]:
        """Lists, by field, as they were sent, of those that name a thing more than once."""
        found: dict[str, list[str]] = self.__dict__.get("_repeated", {})
        return found

    def _without_repetition(self) -> None:
        said = self.__dict__
        for field in self._instance_fields:
            listed = said[field]
            if len(listed) > 1 and len(set(listed)) != len(listed):
                said.setdefault("_repeated", {})[field] = listed
                said[field] = list(dict.fromkeys(listed))

    @property
    def extensions(self) -> dict[str, Any]:
        """The members that are not of the standard, by the names they were sent under."""
        return self.__pydantic_extra__

    def extension(self, namespace: str, name: str) -> Any:
        """The extension ``name`` of ``namespace``, under whatever prefix it was sent; None if absent."""
        for key, value in self.__pydantic_extra__.items():
            if self.context.expand(key) == (namespace, name):
                return value
        return None

    # Kept beside the fields, as functools.cached_property does: Pydantic's private attributes take a detour through
    # __getattr__ each time, which is a tenth of the time that an event costs.
    @property
    def context(self) -> Context:
        """The namespaces that its extensions are written in."""
        found: Context = self.__dict__.get("_context", GS1_ONLY)
        return found

    def _within(self, context: Context) -> None:
        """Say in which namespaces it was written."""
        self.__dict__["_context"] = context

    @property
    def signature(self) -> dict[str, Any] | None:
        """The reading device's signature (``lotline:signature``), which is neither stored nor hashed."""
        found: dict[str, Any] | None = self.__dict__.get("_signature")
        return found

    def _signed(self, signature: dict[str, Any]) -> None:
        """Attach the device's signature."""
        self.__dict__["_signature"] = signature

    # Before Python 3.12 functools.cached_property has one lock for all events, which threads would wait for.
    @property
    def hash(self) -> str:
        """The CBV 2.0 event hash, ``ni:///sha-256;…?ver=CBV2.0``."""
        known: str | None = self.__dict__.get("_hash")
        if known is None:
            known = self.__dict__["_hash"] = hash_uri(pre_hash_of(self))
        return known

    @property
    def prehash(self) -> str:
        """The text that is hashed."""
        return pre_hash_of(self)

    @property
    def content_digest(self) -> str:
        """SHA-256, in hexadecimal digits, of all that the event says, remarks (``rdfs:comment``) apart.

        Unlike the hash it tells ``"007"`` from ``"7"``; like the hash it does not depend on how the event was written.
        """
        known: str | None = self.__dict__.get("_digest")
        if known is None:
            known = self.__dict__["_digest"] = digest_of(self._sent(), self.context)
        return known

    def to_dict(self, form: Literal["dl", "urn"] = "dl", with_context: bool = True) -> dict[str, Any]:
        """The event as JSON-LD. ``form="urn"`` writes EPC URNs wherever the company prefix's length is known.

        With its context it is a valid EPCIS document by itself.
        """
        event = self._sent()
        if not isinstance(self, ExtendedEvent):
            event = (with_urns if form == "urn" else with_links)(event)
        if with_context:
            entries = [STANDARD_CONTEXT, *self.context.needed_by(orjson.dumps(event, written, _STORED))]
            event = {"@context": entries, **event}
        return event

    def to_stored(self) -> bytes:
        """The one form Lotline stores: JSON with sorted keys, no ``recordTime`` and no standard context."""
        known: bytes | None = self.__dict__.get("_stored")
        if known is None:
            known = self.__dict__["_stored"] = self._to_stored()
        return known

    def _to_stored(self) -> bytes:
        left_out = _NOT_STORED if self.__dict__["record_time"] is not None else None  # naming any costs for all
        event = self._sent(left_out)
        stored = orjson.dumps(event, written, _STORED)
        entries = self.context.needed_by(stored)
        if not entries:
            return stored
        event["@context"] = entries
        return orjson.dumps(event, written, _STORED)

    def _sent(self, left_out: set[str] | None = None) -> dict[str, Any]:
        """Its members as they were sent, identifiers as they are here."""
        event: dict[str, Any] = self.__pydantic_serializer__.to_python(
            self, by_alias=True, exclude_unset=True, exclude=left_out
        )
        if "_repeated" not in self.__dict__:
            return event
        for field, listed in self.repeated.items():
            event[type(self).model_fields[field].alias or field] = listed
        return event


class _StandardEvent(Event):
    """The fields that all five types of the standard share."""

    biz_step: f.Optional[f.BizStep] = None
    disposition: f.Optional[f.Disposition] = None
    read_point_detail: f.Optional[Location] = Field(default=None, alias="readPoint")
    biz_location_detail: f.Optional[Location] = Field(default=None, alias="bizLocation")
    biz_transaction_list: list[BizTransaction] = _NOT_SENT
    source_list: list[Source] = _NOT_SENT
    destination_list: list[Destination] = _NOT_SENT
    sensor_element_list: list[SensorElement] = _NOT_SENT


class ObjectEvent(_StandardEvent):
    """Something happened to things."""

    type: Literal["ObjectEvent"]
    action: Action
    epc_list: f.UniqueIdentifiers = _NOT_SENT
    quantity_list: list[QuantityElement] = _NOT_SENT
    persistent_disposition: f.Optional[PersistentDisposition] = None
    ilmd: f.Optional[Ilmd] = None

    @model_validator(mode="after")
    def _rules(self) -> Self:
        self._without_repetition()
        if self.ilmd is not None and self.action != "ADD":
            raise _rule("ilmd", "master data of instances and lots may only be given with action ADD")
        if "epc_list" in self.model_fields_set or self.quantity_list:
            return self
        if self.sensor_element_list and self.read_point_detail is not None:
            return self
        raise _rule("epcList", "needs 'epcList', a 'quantityList', or sensor data with a 'readPoint'")


class AggregationEvent(_StandardEvent):
    """Things were put into or taken out of a container."""

    type: Literal["AggregationEvent"]
    action: Action
    parent_id: f.Optional[f.Identifier] = Field(default=None, alias="parentID")
    child_epcs: list[f.Identifier] = Field(default=_NOT_SENT, alias="childEPCs")
    child_quantity_list: list[QuantityElement] = _NOT_SENT

    @model_validator(mode="after")
    def _rules(self) -> Self:
        _require_children(self)
        self._without_repetition()
        return self


class TransactionEvent(_StandardEvent):
    """Things were tied to business transactions."""

    type: Literal["TransactionEvent"]
    action: Action
    biz_transaction_list: Annotated[list[BizTransaction], Field(min_length=1)]
    parent_id: f.Optional[f.Identifier] = Field(default=None, alias="parentID")
    epc_list: list[f.Identifier] = _NOT_SENT
    quantity_list: list[QuantityElement] = _NOT_SENT

    @model_validator(mode="after")
    def _rules(self) -> Self:
        self._without_repetition()
        if "epc_list" in self.model_fields_set or self.quantity_list or self.action == "DELETE":
            return self
        raise _rule("epcList", "needs 'epcList' or a 'quantityList' unless the action is DELETE")


class TransformationEvent(_StandardEvent):
    """Things became other things."""

    type: Literal["TransformationEvent"]
    input_epc_list: f.UniqueIdentifiers = Field(default=_NOT_SENT, alias="inputEPCList")
    input_quantity_list: list[QuantityElement] = _NOT_SENT
    output_epc_list: f.UniqueIdentifiers = Field(default=_NOT_SENT, alias="outputEPCList")
    output_quantity_list: list[QuantityElement] = _NOT_SENT
    transformation_id: f.Optional[f.Identifier] = Field(default=None, alias="transformationID")
    persistent_disposition: f.Optional[PersistentDisposition] = None
    ilmd: f.Optional[Ilmd] = None

    @model_validator(mode="after")
    def _rules(self) -> Self:
        self._without_repetition()
        inputs = self.input_epc_list or self.input_quantity_list
        outputs = self.output_epc_list or self.output_quantity_list
        if (inputs and outputs) or (self.transformation_id is not None and (inputs or outputs)):
            return self
        raise _rule("inputEPCList", "needs inputs and outputs, or a 'transformationID' and one of both")


class AssociationEvent(_StandardEvent):
    """Things were fixed to a parent: a place, an asset, a vehicle."""

    type: Literal["AssociationEvent"]
    action: Action
    parent_id: f.Identifier = Field(alias="parentID")
    child_epcs: list[f.Identifier] = Field(default=_NOT_SENT, alias="childEPCs")
    child_quantity_list: list[QuantityElement] = _NOT_SENT

    @model_validator(mode="after")
    def _rules(self) -> Self:
        _require_children(self)
        self._without_repetition()
        return self


class ExtendedEvent(Event):
    """An event of a type that is not of the standard: ``type`` is a URI or a name with a prefix.

    Its members are its own affair: they are kept in ``extensions`` and are nobody's standard fields, whatever their
    names. Only what every event has can be asked for.
    """

    __pydantic_extra__: dict[str, Any] = Field(init=False)
    type: f.Uri


EVENT_TYPES: dict[str, type[Event]] = {
    "ObjectEvent": ObjectEvent,
    "AggregationEvent": AggregationEvent,
    "TransactionEvent": TransactionEvent,
    "TransformationEvent": TransformationEvent,
    "AssociationEvent": AssociationEvent,
}


def _require_children(event: AggregationEvent | AssociationEvent) -> None:
    if not (event.child_epcs or event.child_quantity_list or event.action == "DELETE"):
        raise _rule("childEPCs", "needs 'childEPCs' or a 'childQuantityList' unless the action is DELETE")


def _rule(field: str, message: str) -> PydanticCustomError:
    """A fault between fields that are right one by one; ``field`` is where it would be mended."""
    return PydanticCustomError("rule", message, {"field": field})


def _answer_for_absent_fields() -> None:
    """Lets every type be asked for the fields of the others (see :class:`Event`)."""
    types: list[type[Event]] = [*EVENT_TYPES.values(), ExtendedEvent]
    defaults = {name: field.get_default() for cls in types for name, field in cls.model_fields.items()}
    for cls in types:
        cls._instance_fields = tuple(name for name in _INSTANCES if name in cls.model_fields)
        cls._class_fields = tuple(name for name in _CLASSES if name in cls.model_fields)
        for name in defaults.keys() - cls.model_fields.keys():
            setattr(cls, name, () if name.endswith(("_list", "_epcs")) else None)


_answer_for_absent_fields()
