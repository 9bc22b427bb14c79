"""The types of single EPCIS fields: what text or number each may hold, and what it is turned into.

Each accepts exactly what GS1's JSON Schema accepts. Identifiers of things, places and parties become
canonical Digital Links that remember what else was said (``Spelled``), vocabulary words given as web addresses become
words; all else stays as it was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, WrapValidator
from pydantic_core import CoreSchema, PydanticCustomError

from epcis.cbv import (
    BIZ_STEPS,
    BIZ_TRANSACTION_TYPES,
    COMPONENTS,
    DISPOSITIONS,
    ERROR_REASONS,
    MEASUREMENT_TYPES,
    SENSOR_ALERT_TYPES,
    SOURCE_DESTINATION_TYPES,
    Vocabulary,
)
from epcis.formats import is_date_time, is_uri
from epcis.identifiers import LONGEST_KEY, Spelled, identity_of, is_canonical, reference_of, said
from epcis.reading import Inexact
from epcis.remembering import remember

_T = TypeVar("_T")

# Addresses that only look like standard vocabulary; GS1's schema refuses them in favour of the bare words.
_NOT_CBV = ("urn:epcglobal:cbv", "http://ns.gs1.org/cbv/", "https://ns.gs1.org/cbv/")
_NOT_WEB_VOCABULARY = (
    "http://gs1.org/voc/",
    "https://gs1.org/voc/",
    "http://www.gs1.org/voc/",
    "https://www.gs1.org/voc/",
)


class _NotNull:
    """Marks a field that may be left out but, if given, may not be null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


Optional = Annotated[_T | None, _NotNull()]


def problem(code: str, message: str) -> PydanticCustomError:
    # Braces would be taken for placeholders of a template.
    return PydanticCustomError(code, message.replace("{", "(").replace("}", ")"))


def check_uri(text: str) -> str:
    if not is_uri(text):
        raise problem("uri", "not an absolute URI (RFC 3986), nor a name with a prefix")
    return text


@remember(1 << 14, LONGEST_KEY)  # a thing is named by several events, a place or a party by all of them
def _canonical_identifier(text: str) -> str:
    return text if is_canonical(text) else identity_of(check_uri(text))


def _canonical_reference(text: str) -> str:
    return reference_of(check_uri(text))


def _check_date_time(text: str) -> str:
    if not is_date_time(text):
        raise problem("date_time", "not a date and time with time zone by RFC 3339, in the years 1 to 9999 of UTC")
    return text


def _number(value: Any) -> int | float:
    if type(value) is int or type(value) is float:
        return value
    raise problem("number", "must be a number")


def _quantity(value: Any) -> int | float:
    return value if isinstance(value, Inexact) else _number(value)


def _words(vocabulary: Vocabulary, refused: tuple[str, ...]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text in vocabulary.words:
            return text
        if text.startswith(refused) or not is_uri(text):
            raise problem("vocabulary", "neither a word of the standard vocabulary nor a URI of another one")
        return vocabulary.word(text)

    return check


def _uri_or_uris(value: Any) -> Any:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str):
            raise problem("uri", "must be a URI or a list of URIs")
        check_uri(item)
    return value


def _unique(value: Any, handler: Callable[[Any], list[str]]) -> list[str]:
    """A list without repetition as it was sent.

    Two forms of one identifier are no repetition to GS1's schema: the second then remembers the form it came
    in, so that what is stored is as valid as what was sent.
    """
    canonical = handler(value)
    if len(canonical) < 2 or len(set(canonical)) == len(canonical):
        return canonical
    if len(set(value)) != len(value):
        raise problem("unique_items", "the same identifier appears twice")
    seen: set[str] = set()
    result = []
    for given, better in zip(value, canonical, strict=True):
        result.append(_as_given(better, given) if better in seen else better)
        seen.add(better)
    if len(set(map(said, result))) != len(result):
        return [_as_given(better, given) for given, better in zip(value, canonical, strict=True)]
    return result


def _as_given(identifier: str, given: str) -> str:
    return Spelled(identifier, given, getattr(identifier, "lot", None))


def _unique_words(words: list[str]) -> list[str]:
    if len(set(words)) != len(words):
        raise problem("unique_items", "the same value appears twice")
    return words


Uri = Annotated[str, AfterValidator(check_uri)]
Identifier = Annotated[str, AfterValidator(_canonical_identifier)]
Reference = Annotated[str, AfterValidator(_canonical_reference)]
UniqueIdentifiers = Annotated[list[Identifier], WrapValidator(_unique)]
DateTime = Annotated[str, AfterValidator(_check_date_time)]
ZoneOffset = Annotated[str, Field(pattern=r"^[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)$")]
Number = Annotated[Any, AfterValidator(_number)]
Quantity = Annotated[Any, AfterValidator(_quantity)]
UnitOfMeasure = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,3}$")]
HexBinary = Annotated[str, Field(pattern=r"^[A-Fa-f0-9]+$")]
UriOrUris = Annotated[Any, AfterValidator(_uri_or_uris)]
ExtensionName = Annotated[str, AfterValidator(check_uri)]

BizStep = Annotated[str, AfterValidator(_words(BIZ_STEPS, _NOT_CBV))]
Disposition = Annotated[str, AfterValidator(_words(DISPOSITIONS, _NOT_CBV))]
UniqueDispositions = Annotated[list[Disposition], Field(min_length=1), AfterValidator(_unique_words)]
BizTransactionType = Annotated[str, AfterValidator(_words(BIZ_TRANSACTION_TYPES, _NOT_CBV))]
SourceDestinationType = Annotated[str, AfterValidator(_words(SOURCE_DESTINATION_TYPES, _NOT_CBV))]
ErrorReason = Annotated[str, AfterValidator(_words(ERROR_REASONS, _NOT_CBV))]
Component = Annotated[str, AfterValidator(_words(COMPONENTS, _NOT_CBV))]
MeasurementType = Annotated[str, AfterValidator(_words(MEASUREMENT_TYPES, _NOT_WEB_VOCABULARY))]
SensorAlertType = Annotated[str, AfterValidator(_words(SENSOR_ALERT_TYPES, _NOT_WEB_VOCABULARY))]
