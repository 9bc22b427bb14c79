"""The parts of an event that are objects themselves. Each is immutable, and is given back as it came."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from epcis import fields as f


class Element(BaseModel):
    """Base of all: camelCase outside, snake_case inside."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="forbid")


class ExtensibleElement(Element):
    """An element that may hold extensions: members whose names are URIs or ``prefix:name``."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[f.ExtensionName, Any] = Field(init=False)

    @property
    def extensions(self) -> dict[str, Any]:
        return self.__pydantic_extra__


class Location(Element):
    """A read point or business location: an identifier and whatever else the sender put beside it."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any] = Field(init=False)
    id: f.Identifier

    @property
    def extensions(self) -> dict[str, Any]:
        return self.__pydantic_extra__


class QuantityElement(Element):
    """So much of a class of things. Without ``quantity`` it is unknown how much; without ``uom``, pieces."""

    epc_class: f.Identifier
    quantity: f.Optional[f.Quantity] = None
    uom: f.Optional[f.UnitOfMeasure] = None

    @property
    def amount(self) -> Decimal | None:
        """The quantity, exact: the digits that were sent (see ``quantity_range`` of :func:`epcis.check`)."""
        number = self.quantity
        return None if number is None else Decimal(number if type(number) is int else repr(float(number)))


class BizTransaction(Element):
    type: f.Optional[f.BizTransactionType] = None
    biz_transaction: f.Reference


class Source(Element):
    type: f.SourceDestinationType
    source: f.Identifier


class Destination(Element):
    type: f.SourceDestinationType
    destination: f.Identifier


class PersistentDisposition(Element):
    set: f.Optional[f.UniqueDispositions] = None
    unset: f.Optional[f.UniqueDispositions] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.set is None and self.unset is None:
            raise PydanticCustomError("missing", "needs 'set' or 'unset'")
        return self


class ErrorDeclaration(ExtensibleElement):
    declaration_time: f.DateTime
    reason: f.Optional[f.ErrorReason] = None
    corrective_event_ids: f.Optional[list[f.Uri]] = Field(default=None, alias="correctiveEventIDs")


class SensorMetadata(ExtensibleElement):
    time: f.Optional[f.DateTime] = None
    device_id: f.Optional[f.Uri] = Field(default=None, alias="deviceID")
    device_metadata: f.Optional[f.Uri] = None
    raw_data: f.Optional[f.Uri] = None
    start_time: f.Optional[f.DateTime] = None
    end_time: f.Optional[f.DateTime] = None
    data_processing_method: f.Optional[f.Uri] = None
    biz_rules: f.Optional[f.Uri] = None


class SensorReport(ExtensibleElement):
    type: f.MeasurementType
    exception: f.Optional[f.SensorAlertType] = None
    device_id: f.Optional[f.Uri] = Field(default=None, alias="deviceID")
    device_metadata: f.Optional[f.Uri] = None
    raw_data: f.Optional[f.Uri] = None
    data_processing_method: f.Optional[f.Uri] = None
    biz_rules: f.Optional[f.Uri] = None
    time: f.Optional[f.DateTime] = None
    microorganism: f.Optional[f.Uri] = None
    chemical_substance: f.Optional[f.Uri] = None
    coordinate_reference_system: f.Optional[f.Uri] = None
    value: f.Optional[f.Number] = None
    component: f.Optional[f.Component] = None
    string_value: f.Optional[str] = None
    boolean_value: f.Optional[StrictBool] = None
    hex_binary_value: f.Optional[f.HexBinary] = None
    uri_value: f.Optional[f.Uri] = None
    min_value: f.Optional[f.Number] = None
    max_value: f.Optional[f.Number] = None
    mean_value: f.Optional[f.Number] = None
    s_dev: f.Optional[f.Number] = Field(default=None, alias="sDev")
    perc_rank: f.Optional[f.Number] = None
    perc_value: f.Optional[f.Number] = None
    uom: f.Optional[str] = None


class SensorElement(ExtensibleElement):
    sensor_metadata: f.Optional[SensorMetadata] = None
    sensor_report: Annotated[list[SensorReport], Field(min_length=1)]
