"""EPCIS's simple event query as URL parameters: one table says which there are and what each means.

The same table feeds the parser and the OpenAPI document, so that what is documented is what works. A
parameter that is not in it is refused: a query that silently ignores a condition gives wrong answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from api.problems import query_error
from epcis import cbv
from epcis.identifiers import read, reference_of
from readmodel.queries.events import EventFilter

SHARED = ("perPage", "nextPageToken")
MAX_CONDITIONS = 50
MAX_VALUES = 200
MAX_LENGTH = 500


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What to look for, and how much of it to give."""

    wanted: EventFilter
    count_limit: int | None
    max_count: int | None


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    field: str
    description: str
    schema: dict[str, Any]
    read: Callable[[str, str], Any]


def parse_query(pairs: Iterable[tuple[str, str]]) -> EventQuery:
    """The query in a URL; the QueryParameterException problem for anything not understood."""
    fields: dict[str, Any] = {"biz_transactions": {}, "sources": {}, "destinations": {}}
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen:
            raise query_error(name, "given twice; several values are written a|b")
        seen.add(name)
        if len(seen) > MAX_CONDITIONS:
            raise query_error(name, f"at most {MAX_CONDITIONS} parameters in one query")
        if name not in SHARED:
            _take(name, value, fields)
    count_limit, max_count = fields.pop("count_limit", None), fields.pop("max_count", None)
    if count_limit is not None and max_count is not None:
        raise query_error("maxEventCount", "can't be combined with eventCountLimit")
    if count_limit is not None and fields.get("order_by") is None:
        raise query_error("eventCountLimit", "needs orderBy: otherwise the first events are not defined")
    return EventQuery(EventFilter(**fields), count_limit, max_count)


def openapi_parameters() -> list[dict[str, Any]]:
    """The OpenAPI description of every parameter of the table."""
    described = []
    for parameter in _PARAMETERS.values():
        entry: dict[str, Any] = {
            "name": parameter.name,
            "in": "query",
            "required": False,
            "description": parameter.description,
            "schema": parameter.schema,
        }
        if parameter.schema["type"] == "array":
            entry |= {"style": "pipeDelimited", "explode": False}
        described.append(entry)
    return described


def _take(name: str, value: str, fields: dict[str, Any]) -> None:
    parameter = _PARAMETERS.get(name)
    if parameter is not None:
        fields[parameter.field] = parameter.read(name, value)
        return
    for prefix, field, words in _BY_TYPE:
        if name.startswith(prefix) and len(name) > len(prefix):
            found = (_references if field == "biz_transactions" else _identifiers)(name, value)
            fields[field][words.word(name.removeprefix(prefix))] = found
            return
    raise query_error(name, "no such parameter")


def _texts(name: str, value: str) -> list[str]:
    """Values are separated by ``|``, as EPCIS has it."""
    if len(value) > MAX_VALUES * MAX_LENGTH or value.count("|") >= MAX_VALUES:
        raise query_error(name, f"at most {MAX_VALUES} values")
    texts = value.split("|")
    if not all(texts):
        raise query_error(name, "an empty value")
    return texts


def _identifiers(name: str, value: str) -> list[str]:
    found = []
    for text in _texts(name, value):
        uri, _, fault = read(text, bare=False)
        if fault is not None and fault.severity == "error":
            raise query_error(name, fault.message)
        found.append(str(uri))
    return found


def _references(name: str, value: str) -> list[str]:
    return [str(reference_of(text)) for text in _texts(name, value)]


def _words(vocabulary: cbv.Vocabulary) -> Callable[[str, str], list[str]]:
    def read(name: str, value: str) -> list[str]:
        return [vocabulary.word(cbv.from_urn(text)) for text in _texts(name, value)]

    return read


def _one_of(*words: str, many: bool) -> Callable[[str, str], Any]:
    def read(name: str, value: str) -> Any:
        texts = _texts(name, value) if many else [value]
        for text in texts:
            if text not in words:
                raise query_error(name, f"{text!r} is not one of {', '.join(words)}")
        return texts if many else texts[0]

    return read


def _time(name: str, value: str) -> datetime:
    """A plus sign that was not percent-encoded arrives as a blank."""
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        raise query_error(name, "not an ISO 8601 date-time") from None
    if moment.tzinfo is None:
        raise query_error(name, "needs a time zone offset, such as Z")
    return moment


def _count(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value[:9]) >= 1 and len(value) <= 9):
        raise query_error(name, "a positive whole number is needed")
    return int(value)


_TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "pattern": r"^[^|]+$"}
_LIST: dict[str, Any] = {"type": "array", "minItems": 1, "maxItems": MAX_VALUES, "items": _TEXT}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_NUMBER: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
_EVENT_TYPES = (
    "ObjectEvent",
    "AggregationEvent",
    "TransactionEvent",
    "TransformationEvent",
    "AssociationEvent",
)
_ACTIONS = ("ADD", "OBSERVE", "DELETE")


def _enum(words: Sequence[str], many: bool = True) -> dict[str, Any]:
    single = {"type": "string", "enum": list(words)}
    return {"type": "array", "minItems": 1, "maxItems": MAX_VALUES, "items": single} if many else single


def _table() -> Iterable[_Parameter]:
    yield _Parameter(
        "eventType", "event_types", "Kinds of event", _enum(_EVENT_TYPES), _one_of(*_EVENT_TYPES, many=True)
    )
    yield _Parameter("EQ_action", "actions", "Actions", _enum(_ACTIONS), _one_of(*_ACTIONS, many=True))
    for name, field, text in (
        ("GE_eventTime", "ge_event_time", "Happened at or after"),
        ("LT_eventTime", "lt_event_time", "Happened before"),
        ("GE_recordTime", "ge_record_time", "On the ledger at or after"),
        ("LT_recordTime", "lt_record_time", "On the ledger before"),
    ):
        yield _Parameter(name, field, text, _TIME, _time)
    yield _Parameter("EQ_eventID", "event_ids", "Event hashes, or the eventIDs clients gave", _LIST, _texts)
    steps, dispositions = _words(cbv.BIZ_STEPS), _words(cbv.DISPOSITIONS)
    yield _Parameter("EQ_bizStep", "biz_steps", "Business steps, bare words or URIs", _LIST, steps)
    yield _Parameter("EQ_disposition", "dispositions", "Dispositions, bare words or URIs", _LIST, dispositions)
    for name, field, text in (
        ("EQ_readPoint", "read_points", "Read points"),
        ("EQ_bizLocation", "biz_locations", "Business locations"),
        ("EQ_transformationID", "transformation_ids", "Transformation ids"),
        ("MATCH_epc", "match_epc", "Named in epcList or childEPCs"),
        ("MATCH_parentID", "match_parent_id", "Named as parentID"),
        ("MATCH_inputEPC", "match_input_epc", "Named in inputEPCList"),
        ("MATCH_outputEPC", "match_output_epc", "Named in outputEPCList"),
        ("MATCH_anyEPC", "match_any_epc", "Named in any list of instances, or as parentID"),
        ("MATCH_epcClass", "match_epc_class", "Classes in quantityList or childQuantityList"),
        ("MATCH_inputEPCClass", "match_input_epc_class", "Classes in inputQuantityList"),
        ("MATCH_outputEPCClass", "match_output_epc_class", "Classes in outputQuantityList"),
        ("MATCH_anyEPCClass", "match_any_epc_class", "Classes in any list of quantities"),
    ):
        yield _Parameter(name, field, f"{text}. EPC URNs or Digital Links", _LIST, _identifiers)
    orders, directions = ("eventTime", "recordTime"), ("ASC", "DESC")
    yield _Parameter(
        "orderBy", "order_by", "Order of the answer", _enum(orders, many=False), _one_of(*orders, many=False)
    )
    yield _Parameter(
        "orderDirection", "direction", "DESC by default", _enum(directions, many=False),
        _one_of(*directions, many=False),
    )  # fmt: skip
    yield _Parameter("eventCountLimit", "count_limit", "Only the first so many; needs orderBy", _NUMBER, _count)
    yield _Parameter("maxEventCount", "max_count", "Refuse (413) if more than so many match", _NUMBER, _count)


_PARAMETERS = {parameter.name: parameter for parameter in _table()}
_BY_TYPE: tuple[tuple[str, Literal["biz_transactions", "sources", "destinations"], cbv.Vocabulary], ...] = (
    ("EQ_bizTransaction_", "biz_transactions", cbv.BIZ_TRANSACTION_TYPES),
    ("EQ_source_", "sources", cbv.SOURCE_DESTINATION_TYPES),
    ("EQ_destination_", "destinations", cbv.SOURCE_DESTINATION_TYPES),
)
