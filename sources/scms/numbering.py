"""Identifiers for what the record names but does not number.

The record holds names only. Every GTIN, GLN and PGLN here is made from the name alone, so the same name gets
the same number in every import, whatever part of the file is read. All of them carry a company prefix that
starts with 952, which GS1 keeps for demonstrations and examples: nobody's real number looks like that.
"""

from __future__ import annotations

import hashlib
from functools import cache
from urllib.parse import quote

from epcis.identifiers import check_digit, gln, lot, pgln

# GS1 prefix 952 is "used for demonstrations and examples of the GS1 system".
DEMONSTRATION_PREFIX = "9527"
_BODY = 8


@cache
def product_gtin(description: str) -> str:
    """GTIN-14 of a product, which the record knows by its item description.

    >>> product_gtin("Nevirapine 200mg, tablets, 60 Tabs")[:5]
    '09527'
    """
    return _with_check_digit("0" + DEMONSTRATION_PREFIX + _digits("product", description))


def lot_id(description: str, line_id: str) -> str:
    """Digital Link of the lot of one shipment line: ``…/01/<gtin>/10/L<ID>``."""
    return lot(product_gtin(description), f"L{line_id}")


@cache
def party_id(kind: str, name: str) -> str:
    """Digital Link (PGLN) of a party: ``kind`` keeps a vendor and a consignee of the same name apart."""
    return pgln(_with_check_digit(DEMONSTRATION_PREFIX + _digits(f"party {kind}", name)))


@cache
def place_id(kind: str, name: str) -> str:
    """Digital Link (GLN) of a place."""
    return gln(_with_check_digit(DEMONSTRATION_PREFIX + _digits(f"place {kind}", name)))


def transaction_id(party: str, number: str) -> str:
    """CBV business transaction identifier: the document's number, unique within who numbers them."""
    return f"urn:epcglobal:cbv:bt:{party.rsplit('/', 1)[1]}:{quote(number, safe='-._~')}"


def _with_check_digit(digits: str) -> str:
    return digits + check_digit(digits)


def _digits(kind: str, name: str) -> str:
    digest = hashlib.sha256(f"{kind}\n{name}".encode()).digest()
    return str(int.from_bytes(digest[:8], "big") % 10**_BODY).zfill(_BODY)
