"""The formats ``uri`` (RFC 3986) and ``date-time`` (RFC 3339), which Python has no exact readers for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import AddressValueError, IPv6Address

from epcis.remembering import remember

_PCHAR = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*:"
    r"(?://(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:\[(?P<literal>[^\]]*)\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?(?:/" + _PCHAR + r"*)*"
    r"|/?(?:" + _PCHAR + r"+(?:/" + _PCHAR + r"*)*)?)"
    r"(?:\?(?:" + _PCHAR + r"|[/?])*)?(?:#(?:" + _PCHAR + r"|[/?])*)?"
)
# The same without anything that needs a closer look, tried first because nearly every URI passes it.
_PLAIN_URI = re.compile(r"(?:https?://[A-Za-z0-9\-.]+/|urn:)[A-Za-z0-9\-._~!$&'()*+,;=:@/]*")
_FUTURE_ADDRESS = re.compile(r"[Vv][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+")

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?P<clock>[0-9]{2}:[0-9]{2}:)(?P<second>[0-9]{2})(?P<fraction>\.[0-9]+)?"
    r"(?:[Zz]|[+\-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_HALF_MILLISECOND = timedelta(microseconds=500)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_uri(text: str) -> bool:
    """Whether ``text`` is an absolute URI by RFC 3986."""
    return _PLAIN_URI.fullmatch(text) is not None or _is_unusual_uri(text)


def _is_unusual_uri(text: str) -> bool:
    match = _URI.fullmatch(text)
    if match is None:
        return False
    literal = match["literal"]
    return literal is None or _FUTURE_ADDRESS.fullmatch(literal) is not None or _is_ipv6(literal)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text


def is_date_time(text: str) -> bool:
    """Whether ``text`` is a date-time by RFC 3339 that the calendar and the years 1 to 9999 of UTC have."""
    try:
        parse_date_time(text)
    except ValueError:
        return False
    return True


# An event's time is read several times over: to judge it, to hash it, to compare it.
@remember(1 << 12, longest=40)
def parse_date_time(text: str) -> datetime:
    """The moment an RFC 3339 ``text`` names, in the zone it is written in, to the microsecond.

    This is the one reading of a time: the contract, the read model and every answer have it from here. A leap second
    is the first moment of the next minute. What is outside the years 1 to 9999 of UTC, year 0000 among them, is
    refused, since no database or language below can hold it.

    Raises:
        ValueError: it is not RFC 3339, or no such moment exists.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 date-time")
    moment = datetime.fromisoformat(text.upper()) if match["second"] != "60" else _leap_second(text, match)
    if not 1 < moment.year < 9999:
        _in_utc(moment)
    return moment


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999 of UTC") from None


def _leap_second(text: str, match: re.Match[str]) -> datetime:
    before = datetime.fromisoformat(text[: match.start("second")] + "59" + text[match.end("second") :].upper())
    utc = _in_utc(before)
    if (utc.hour, utc.minute) != (23, 59):
        raise ValueError("leap seconds come at the end of a day of UTC")
    try:
        return before.replace(microsecond=0) + timedelta(seconds=1)
    except OverflowError:
        raise ValueError("no such moment") from None


def _is_in_utc_milliseconds(text: str) -> bool:
    """Whether a date-time is written as ``2024-03-01T08:01:00.000Z``, as most are that programs write."""
    return len(text) == 24 and text[23] == "Z" and text[10] == "T" and text[17:19] != "60"


def utc_milliseconds(text: str) -> str:
    """An RFC 3339 ``text`` in UTC with three decimals, rounded half up: ``…00.9996Z`` is the next second.

    The last half millisecond of the year 9999, which has no next second, is given back as it was written.

    Raises:
        ValueError: as :func:`parse_date_time`.
    """
    moment = parse_date_time(text)
    if _is_in_utc_milliseconds(text):
        return text
    try:
        # Adding half a millisecond and cutting off rounds half up, and the calendar does the carrying.
        moment = moment.astimezone(UTC) + _HALF_MILLISECOND
    except OverflowError:
        return text
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


def utc_microseconds(text: str) -> str:
    """An RFC 3339 ``text`` in UTC with six decimals: text of fixed width, so that texts sort as times do.

    Raises:
        ValueError: as :func:`parse_date_time`.
    """
    moment = parse_date_time(text)
    if _is_in_utc_milliseconds(text):
        return text[:-1] + "000Z"
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def utc_micros(text: str) -> int:
    """An RFC 3339 ``text`` as microseconds since 1970: a whole number of less than 64 bits, whose order is time's order.

    >>> utc_micros("1970-01-01T01:00:00.000001+01:00")
    1

    Raises:
        ValueError: as :func:`parse_date_time`.
    """
    return (parse_date_time(text) - _EPOCH) // _MICROSECOND
