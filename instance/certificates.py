"""When the certificates in a home end: told before they do, since a certificate that has ended is refused by everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from instance.settings import Settings
from ledger import ca

WARNED_BEFORE = timedelta(days=30)
UNREADABLE = datetime.min.replace(tzinfo=UTC)
"""The end of a certificate that cannot be read: it is no better than one that has ended."""


class End(NamedTuple):
    """The last moment at which an identity can sign."""

    msp_id: str
    identity: str
    not_after: datetime


def ends(settings: Settings) -> list[End]:
    """When the certificate of every identity in the home ends, the soonest first.

    Read from the files at each call: a certificate may have been renewed since. A file that is no certificate ends at
    `UNREADABLE`.
    """
    folders = (settings.ledger_dir / "organisations").glob("*")
    found = [
        End(folder.name, name, _not_after(folder / "identities" / name / "cert.pem"))
        for folder in folders
        for name in ca.identities(folder)
    ]
    return sorted(found, key=lambda end: (end.not_after, end.msp_id, end.identity))


def ending(settings: Settings, now: datetime, within: timedelta = WARNED_BEFORE) -> list[End]:
    """Those that have ended at ``now`` or do so ``within`` a time."""
    return [end for end in ends(settings) if end.not_after <= now + within]


def _not_after(file: Path) -> datetime:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return UNREADABLE
