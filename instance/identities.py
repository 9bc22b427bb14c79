"""The identities with which an instance speaks to its ledger."""

from __future__ import annotations

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
