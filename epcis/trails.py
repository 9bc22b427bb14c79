"""Trails: the hash chain over all events that name a thing, in the order in which the ledger took them.

``head = SHA-256(previous head ‖ SHA-256(record))``, the first of them over nothing. ``record`` is an event's record on the ledger
without its place in the transaction (``n``), so that a trail does not depend on how events were batched. One head, told by whom one
believes, shows of a list of events that none is missing, none is added, none is another and the order is theirs.
"""

from __future__ import annotations

from hashlib import sha256

from epcis.events import Event
from epcis.identifiers import identify
from epcis.identifiers import lot as lot_link
from epcis.short import lengthened, shortened

EMPTY = ""
"""The head of a trail that holds no event yet."""


def digest(record: bytes) -> bytes:
    """The 32 bytes by which trails know an event's record (without ``n``)."""
    return sha256(record).digest()


def extended(head: str, event: bytes) -> str:
    """The head (43 characters, base64url) after one more event, of which ``event`` is the digest. Raises ValueError: no head."""
    before = lengthened(head) if head else b""
    return shortened(sha256(before + event).digest())


def writer_of(msp: str, client: str) -> str:
    """Who writes, whichever certificate they have now: 16 hexadecimal digits. ``client``: subject and issuer, as Fabric's ``cid`` gives them."""
    return sha256(f"{msp}\n{client}".encode()).hexdigest()[:16]


def named_classes(event: Event) -> list[str]:
    """What an event names that is no instance, each once: the lots and other classes of its quantities, the lots that it puts
    instances into or names them with, and its ``transformationID``."""
    found = event.classes
    lots = event.lots_named
    tie = event.transformation_id
    if not (lots or tie or event.ilmd):
        return found if len(found) < 2 else list(dict.fromkeys(found))
    found += lots.values()
    if event.ilmd and (number := lot_number(event)) is not None:
        found += [lot for uri in _begun(event) if (lot := lot_of(uri, number)) is not None]
    if tie is not None:
        found.append(str(tie))
    return list(dict.fromkeys(found))


def named_instances(event: Event) -> list[str]:
    """Every instance that an event names, each once, a parent first."""
    return list(dict.fromkeys(map(str, event.instances)))


def _begun(event: Event) -> list[str]:
    return event.output_epc_list if event.type == "TransformationEvent" else event.epc_list


def lot_number(event: Event) -> str | None:
    """The lot number in an event's instance/lot master data."""
    for name, value in (event.ilmd or {}).items():
        if name.rpartition(":")[2].rpartition("/")[2] == "lotNumber" and isinstance(value, str):
            return value
    return None


def lot_of(uri: str, number: str) -> str | None:
    """The lot of that number of an item's product; None for what has no product, and for a number that GS1 does not allow."""
    known_as = identify(uri)
    if known_as is None or known_as.gtin is None:
        return None
    try:
        return lot_link(known_as.gtin, number)
    except ValueError:
        return None
