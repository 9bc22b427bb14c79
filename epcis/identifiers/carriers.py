"""What scanners, keyboards and tools put around and into the data of a code: symbology identifiers, separators, line ends.

FNC1, the separator of GS1 element strings, is the control character GS (0x1D) to a program. A keyboard has no such key: wedges type
something else for it, and tools write it out. None of the single characters below is in GS1's character sets, so none can be
part of a value.
"""

from __future__ import annotations

import re
from typing import NamedTuple

GS = "\x1d"

_SYMBOLOGY = re.compile(r"\](?P<id>[A-Za-z][0-9A-Za-z])")
GS1_SYMBOLOGIES = frozenset({"C1", "d2", "d5", "Q3", "Q4", "e0", "e1", "e2", "e3", "J1", "J4", "z1", "z4", "h1", "h4"})
"""ISO/IEC 15424 identifiers of carriers that begin with FNC1: whatever is in them is a GS1 element string."""
_NAMES = {
    "A": "Code 39", "C": "Code 128", "E": "EAN/UPC", "F": "Codabar", "G": "Code 93", "I": "ITF", "J": "DotCode",
    "L": "PDF417", "Q": "QR Code", "d": "Data Matrix", "e": "GS1 DataBar", "h": "Han Xin", "z": "Aztec", "U": "MaxiCode",
}  # fmt: skip

_WRITTEN_GS = re.compile(
    r"<(?:GS|FNC1|F1|0?x1D)>|[\[{](?:GS|FNC1)[\]}]|\((?:GS|FNC1)\)|\^FNC1|\^\]|~d029|~1(?=[^0-9]|$)"
    r"|\\(?:x1d|u001d|u\{1d\}|035|29|F(?![A-Za-z]))|\\?&#(?:29|x1d);|%1D|[\u241d\u21d4]|[\x1c-\x1f]|[|~^@`$\\]",
    re.IGNORECASE,
)
_ENDS = re.compile(r"^[\x00-\x1c\x1e-\x20\ufeff]+|[\x00-\x20\ufeff]+$")
_ECI = re.compile(r"\\[0-9]{6}")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}


class Carried(NamedTuple):
    """The data of a code, without what the reader put around it."""

    data: str
    """Written-out separators are still in it."""
    symbology: str | None
    """``d2``, or None where the reader does not say."""

    @property
    def is_gs1(self) -> bool:
        """Whether the symbol itself says that it holds a GS1 element string."""
        return self.symbology in GS1_SYMBOLOGIES


def taken_out(text: str) -> Carried:
    """The data in a reader's output: line ends, the signs of an input method and the symbology identifier are gone.

    >>> taken_out("]d20109506000134352\\r\\n")
    Carried(data='0109506000134352', symbology='d2')
    """
    text = _ENDS.sub("", text.translate(_WIDE))
    match = _SYMBOLOGY.match(text)
    if match is None or match["id"][0] not in _NAMES:
        return Carried(text, None)
    data = text[match.end() :]
    if match["id"] in ("Q4", "d5", "J4", "z4", "h4"):
        data = _ECI.sub("", data, count=1)
    return Carried(data, match["id"])


def name_of(symbology: str) -> str:
    """``GS1 DataBar`` for ``e0``."""
    gs1 = "GS1 " if symbology in GS1_SYMBOLOGIES and symbology[0] != "e" else ""
    return gs1 + _NAMES[symbology[0]]


def with_separators(data: str) -> str:
    """The data with every form of FNC1 as GS."""
    return _WRITTEN_GS.sub(GS, data)


def has_separators(data: str) -> bool:
    """Whether something in the data can only be a separator."""
    return _WRITTEN_GS.search(data) is not None
