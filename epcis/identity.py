"""What an event is called on the ledger: its hash, and where two statements have one hash, names that tell them apart."""

from __future__ import annotations

import hashlib

from epcis.events import Event
from epcis.prehash import digest_uri


def identity(event: Event) -> str:
    """An event's name on the ledger: its hash.

    An error declaration has the hash of the event that it declares wrong, as the standard leaves the declaration
    out; on the ledger it is a statement of its own, so the declaration's time, reason and corrections are hashed with it.
    """
    declaration = event.error_declaration
    if declaration is None:
        return event.hash
    text = f"{event.hash}\nerrorDeclaration\n{declaration.declaration_time}\n{declaration.reason or ''}"
    if declaration.corrective_event_ids:
        text += "\n" + "\n".join(sorted(declaration.corrective_event_ids))
    return digest_uri(hashlib.sha256(text.encode()).hexdigest())


def declaration_hex(event: Event, msp: str) -> str:
    """The digits of a declaration's name on the ledger: who declares, what, when, why, and what is right instead."""
    said = (identity(event), msp, event.content_digest)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def hash_hex(uri: str) -> str:
    """The hexadecimal digits of an event hash URI."""
    return uri.partition(";")[2].partition("?")[0]


def variant_hex(event_hash: str, content_digest: str) -> str:
    """The digits of the name on the ledger of an event whose hash is another event's already."""
    return hashlib.sha256(f"{event_hash}\ncontent\n{content_digest}".encode()).hexdigest()
