"""One-time codes by which a device is enrolled: made by an admin, shown as a QR code, used once by a device with a key of its own.

A code is 128 random bits; the file holds its SHA-256 only. A device whose answer was lost asks again with the same key.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from instance.tokens import TokenStore

PREFIX = "enr_"
LONGEST = timedelta(days=7)
_FIELDS = "msp, admin, identity, party, place, name, expires_at, device"


class CodeError(ValueError):
    """A code is unknown, used or too old; the message says which."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a code is bound to."""

    msp_id: str
    admin: str
    """The identity that registers the device."""
    identity: str
    """The identity that the device's events are submitted with."""
    party: str
    place: str | None
    name: str
    expires_at: str
    device: str | None = None
    """Who used it."""


def create(store: TokenStore, enrolment: Enrolment) -> str:
    """Make a code and return it; it can't be read again afterwards. Codes that are long past are forgotten."""
    code = PREFIX + secrets.token_urlsafe(16)
    row = (_digest(code), enrolment.msp_id, enrolment.admin, enrolment.identity, enrolment.party, enrolment.place)
    with store.writing() as connection:
        connection.execute("DELETE FROM enrolment WHERE expires_at < ?", (_text(datetime.now(UTC) - LONGEST),))
        connection.execute(
            f"INSERT INTO enrolment (digest, {_FIELDS}) VALUES (?,?,?,?,?,?,?,?,NULL)",
            (*row, enrolment.name, enrolment.expires_at),
        )
    return code


def expiry(minutes: float) -> str:
    """The time in so many minutes, in UTC."""
    return _text(datetime.now(UTC) + timedelta(minutes=minutes))


def take(store: TokenStore, code: str, device: str) -> Enrolment:
    """Use a code for a device. Raises CodeError: it is unknown, too old, or another device's."""
    with store.writing() as connection:
        row = connection.execute(f"SELECT {_FIELDS} FROM enrolment WHERE digest = ?", (_digest(code),)).fetchone()
        if row is None:
            raise CodeError("this code is unknown: ask for a new one")
        found = Enrolment(*row)
        if found.device not in (None, device):
            raise CodeError("this code was used by another device: ask for a new one")
        if found.expires_at < _text(datetime.now(UTC)):
            raise CodeError("this code is too old: ask for a new one")
        connection.execute("UPDATE enrolment SET device = ? WHERE digest = ?", (device, _digest(code)))
    return found


def give_back(store: TokenStore, code: str) -> None:
    """The ledger refused the device: the code may be used again."""
    with store.writing() as connection:
        connection.execute("UPDATE enrolment SET device = NULL WHERE digest = ?", (_digest(code),))


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
