"""What is around the events: the members of EPCISDocument and EPCISQueryDocument, header and master data."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from epcis import fields as f
from epcis.context import Context
from epcis.formats import is_uri
from epcis.problems import Problem, pointer

_MAX_CONTEXT_BYTES = 32 * 1024
# Each event carries others' contexts and JSON-LD's keywords, whatever it uses of them.
_MAX_CARRIED_BYTES = 2048


class _Part(BaseModel):
    """Anything may stand beside the known members."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")


class _NamedPart(_Part):
    """Beside the known members, only extensions may stand."""

    __pydantic_extra__: dict[f.ExtensionName, Any] = Field(init=False)


def check_context(value: Any) -> str | None:
    """What is wrong with an ``@context``, or None."""
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        if not (isinstance(entry, dict) or (isinstance(entry, str) and is_uri(entry))):
            return "must be a URI, an object, or a list of these"
    if len({_comparable(entry) for entry in entries}) != len(entries):
        return "the same entry appears twice"
    # Every event carries what it needs of its context, so a large one would multiply.
    if len(orjson.dumps(value)) > _MAX_CONTEXT_BYTES:
        return f"larger than {_MAX_CONTEXT_BYTES} bytes"
    if len(orjson.dumps(Context(value).carried)) > _MAX_CARRIED_BYTES:
        return f"addresses of contexts and keywords in it take more than {_MAX_CARRIED_BYTES} bytes, which each event carries"
    return None


def _comparable(value: Any) -> Any:
    """Something hashable that is equal for equal JSON values; unlike in Python, true is not 1."""
    if isinstance(value, dict):
        return frozenset((name, _comparable(member)) for name, member in value.items())
    if isinstance(value, list):
        return tuple(map(_comparable, value))
    return (value, isinstance(value, bool))


def _valid_context(value: Any) -> Any:
    found = check_context(value)
    if found is not None:
        raise f.problem("context", found)
    return value


def _number_text_or_object(value: Any) -> Any:
    if isinstance(value, str | dict) or type(value) in (int, float):
        return value
    raise f.problem("type", "must be a number, a text or an object")


_ContextValue = Annotated[Any, AfterValidator(_valid_context)]
_SchemaVersion = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")]


class _Attribute(_Part):
    id: f.Uri
    attribute: Annotated[Any, AfterValidator(_number_text_or_object)] = None


class _VocabularyElement(_Part):
    id: f.Uri
    attributes: f.Optional[list[_Attribute]] = None
    children: f.Optional[list[f.Uri]] = None


class _Vocabulary(_Part):
    type: f.Uri
    vocabulary_element_list: f.Optional[list[_VocabularyElement]] = None


class _MasterData(_Part):
    vocabulary_list: f.Optional[list[_Vocabulary]] = None


class _Header(_NamedPart):
    epcis_master_data: f.Optional[_MasterData] = None


class _Body(_Part):
    event_list: list[Any]


class _EPCISDocument(_NamedPart):
    context: _ContextValue = Field(alias="@context")
    id: f.Optional[f.Uri] = None
    type: str
    schema_version: _SchemaVersion
    creation_date: f.DateTime
    instance_identifier: f.Optional[str] = None
    sender: f.Optional[str] = None
    receiver: f.Optional[str] = None
    epcis_header: f.Optional[_Header] = None
    epcis_body: _Body


class _ResultsBody(_NamedPart):
    event_list: list[Any]
    vocabulary_list: f.Optional[list[_Vocabulary]] = None


class _QueryResults(_NamedPart):
    query_name: str
    subscription_id: f.Optional[str] = Field(default=None, alias="subscriptionID")
    results_body: _ResultsBody


class _QueryBody(_NamedPart):
    query_results: _QueryResults


class _EPCISQueryDocument(_NamedPart):
    context: _ContextValue = Field(alias="@context")
    id: f.Optional[f.Uri] = None
    type: str
    schema_version: f.Optional[_SchemaVersion] = None
    creation_date: f.Optional[f.DateTime] = None
    epcis_body: _QueryBody


_DOCUMENTS: dict[str, tuple[type[_NamedPart], tuple[str, ...]]] = {
    "EPCISDocument": (_EPCISDocument, ("epcisBody", "eventList")),
    "EPCISQueryDocument": (_EPCISQueryDocument, ("epcisBody", "queryResults", "resultsBody", "eventList")),
}


def check_envelope(raw: Any) -> list[Problem]:
    """The faults of a document outside its events; of a bare event, only whether it has a context."""
    if not isinstance(raw, dict):
        return [Problem(None, "", "type", "a document is a JSON object")]
    kind = raw.get("type")
    if not isinstance(kind, str):
        return [Problem(None, "/type", "missing" if kind is None else "type", "needs a 'type' that is a text")]
    if kind not in _DOCUMENTS:
        if "@context" not in raw:
            return [Problem(None, "/@context", "missing", "an event that stands alone needs its '@context'")]
        return []
    try:
        _DOCUMENTS[kind][0].model_validate(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        return [Problem(None, pointer(*fault["loc"]), fault["type"], fault["msg"]) for fault in faults]
    return []


def event_list_path(raw: Any) -> tuple[str, ...] | None:
    """Where in a document its events are; None if it is no document of events, or has no such list."""
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or kind not in _DOCUMENTS:
        return None
    path = _DOCUMENTS[kind][1]
    for part in path:
        raw = raw.get(part) if isinstance(raw, dict) else None
    return path if isinstance(raw, list) else None
