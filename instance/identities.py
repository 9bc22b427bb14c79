"""The identities with which an instance speaks to its ledger."""

from __future__ import annotations

import os

from instance.settings import Settings, SettingsError
from ledger import ca
from ledger.port import Identity


def load_identity(settings: Settings, msp_id: str, name: str) -> Identity:
    """An identity with its key, from the organisation's directory; `SettingsError` when there is none that can sign."""
    try:
        return ca.load_identity(settings.organisation_dir(msp_id), name)
    except FileNotFoundError:
        raise SettingsError(f"organisation {msp_id} has no identity {name!r}") from None
    except ValueError as error:
        raise SettingsError(f"the key of {name!r} of {msp_id} cannot be used: {error}") from error


class Identities:
    """Identities, each read once, and again when its certificate's file is another: it was renewed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read: dict[tuple[str, str], tuple[tuple[int, ...], Identity]] = {}

    def get(self, msp_id: str, name: str) -> Identity:
        """As `load_identity`; costs a look at the file's date when nothing has changed."""
        stamp = self._stamp(msp_id, name)  # before reading: a file replaced meanwhile is read again next time
        known = self._read.get((msp_id, name))
        if known is not None and stamp and known[0] == stamp:
            return known[1]
        identity = load_identity(self._settings, msp_id, name)
        self._read[msp_id, name] = (stamp, identity)
        return identity

    def _stamp(self, msp_id: str, name: str) -> tuple[int, ...]:
        folder = self._settings.organisation_dir(msp_id) / "identities" / name
        try:
            found = [os.stat(folder / file) for file in ("cert.pem", "key.pem")]
        except OSError:
            return ()
        return tuple(number for one in found for number in (one.st_mtime_ns, one.st_ino, one.st_size))
