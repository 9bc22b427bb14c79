"""The tests of the GS1 Barcode Syntax Dictionary for parts of a value, by the dictionary's names for them.

Each takes a part that has the right form and says what is wrong with it, or None. Names without a test here (lists of countries,
currencies, media and packages, coupons, IBANs) are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from epcis.identifiers.check_digit import check_digit, has_valid_check_digit

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _checked(text: str) -> str | None:
    if has_valid_check_digit(text):
        return None
    return f"wrong check digit in {text}: it should be {check_digit(text[:-1])}"


def _prefixed(skipped: int) -> Callable[[str], str | None]:
    def test(text: str) -> str | None:
        prefix = text[skipped : skipped + 4]
        if len(prefix) == 4 and prefix.isdecimal():
            return None
        return f"{text} does not begin with a GS1 company prefix"

    return test


def _date(text: str, may_lack_day: bool) -> str | None:
    year, month, day = int(text[:-4]), int(text[-4:-2]), int(text[-2:])
    if not 1 <= month <= 12:
        return f"{text} is no date: there is no month {month:02}"
    longest = _DAYS[month - 1]
    if month == 2 and (year % 4 or (len(text) == 8 and year % 100 == 0 and year % 400)):
        longest = 28
    if day > longest or (day == 0 and not may_lack_day):
        return f"{text} is no date: month {month:02} has no day {day:02}"
    return None


def _below(limit: int, what: str) -> Callable[[str], str | None]:
    return lambda text: None if int(text) < limit else f"{text} is no {what}"


def _time(text: str) -> str | None:
    hours, minutes = int(text[:2]), int(text[2:])
    return None if hours < 24 and minutes < 60 else f"{text} is no time of day"


def _pieces(text: str) -> str | None:
    half = len(text) // 2
    piece, total = int(text[:half]), int(text[half:])
    return None if 1 <= piece <= total else f"{text}: piece {piece} of {total}"


def _one_of(*allowed: str) -> Callable[[str], str | None]:
    return lambda text: None if text in allowed else f"{text!r} is none of {', '.join(allowed)}"


LINTERS: dict[str, Callable[[str], str | None]] = {
    "csum": _checked,
    "gcppos1": _prefixed(0),
    "gcppos2": _prefixed(1),
    "yymmdd": lambda text: _date(text, may_lack_day=False),
    "yymmd0": lambda text: _date(text, may_lack_day=True),
    "yyyymmdd": lambda text: _date(text, may_lack_day=False),
    "hh": _below(24, "hour"),
    "mi": _below(60, "minute"),
    "ss": _below(60, "second"),
    "hhmi": _time,
    "hhmm": _time,
    "nonzero": lambda text: f"{text} is zero" if not text.strip("0") else None,
    "zero": lambda text: f"{text} is not zero" if text.strip("0") else None,
    "nozeroprefix": lambda text: f"{text} begins with a zero" if len(text) > 1 and text[0] == "0" else None,
    "hasnondigit": lambda text: f"{text} is digits only" if text.isdecimal() else None,
    "hyphen": lambda text: f"{text!r} is not hyphens" if text.strip("-") else None,
    "yesno": _one_of("0", "1"),
    "winding": _one_of("0", "1", "9"),
    "iso5218": _one_of("0", "1", "2", "9"),
    "pieceoftotal": _pieces,
    "pcenc": lambda text: f"broken percent-encoding in {text!r}" if _BROKEN_ESCAPE.search(text) else None,
}
