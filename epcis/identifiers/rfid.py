"""EPCs as RFID tags hold them: binary, which readers show in hexadecimal (EPC Tag Data Standard 1.13, section 14)."""

from __future__ import annotations

import re

from epcis.identifiers.errors import InvalidIdentifier
from epcis.identifiers.identifier import Identifier
from epcis.identifiers.urn import read_urn

# The first byte says the scheme; what follows it are 96 bits in all, or more in whole words of 16.
_TAG = re.compile(r"(?:0x)?((?:2[C-F]|3[0-9A-F]|40|41)(?:[0-9A-F]{22}|[0-9A-F]{26,54}))", re.IGNORECASE)


def is_tag_memory(text: str) -> bool:
    """Whether ``text`` has the form of a tag's content: a header of the standard, and the length of a tag's memory."""
    match = _TAG.fullmatch(text)
    return match is not None and len(match[1]) % 4 == 0


def read_tag_memory(text: str) -> Identifier:
    """The identifier in a tag's content. Raises InvalidIdentifier.

    >>> read_tag_memory("30764433400D1EC000001267").canonical
    'https://id.gs1.org/01/09506000134352/21/4711'
    """
    # Imported on first use: it compiles hundreds of patterns, and most programs never meet a tag.
    from epcpy.utils.common import ConvertException
    from epcpy.utils.parsers import hex_to_tag_encodable

    match = _TAG.fullmatch(text)
    assert match is not None
    try:
        uri = hex_to_tag_encodable(match[1].upper()).epc_uri
    except (ConvertException, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InvalidIdentifier(
            f"{text} has the length of an RFID tag's content, and is none: read the tag again", "tag_uri"
        ) from error
    return read_urn(uri)
