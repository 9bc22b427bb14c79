"""The ledger of an instance, whichever kind it is."""

from __future__ import annotations

from functools import partial

from instance.identities import Identities
from instance.settings import Settings, SettingsError
from ledger.embedded import EmbeddedLedger
from ledger.locks import writer_lock
from ledger.port import Ledger


async def open_ledger(settings: Settings) -> Ledger:
    """The instance's ledger, for writing. Raises `SettingsError` for files that are missing or wrong, and
    Unavailable while another process of this instance writes to it."""
    if settings.ledger.kind == "embedded":
        return await EmbeddedLedger.open(settings.ledger_dir)
    return _open_fabric(settings)


def _open_fabric(settings: Settings) -> Ledger:
    # gRPC is loaded by those who need it
    from ledger.fabric.adapter import FabricLedger
    from ledger.fabric.connection import read_connection

    peers = {}
    for organisation in settings.ledger.organisations:
        file = settings.organisation_dir(organisation.msp_id) / "connection.json"
        try:
            peers[organisation.msp_id] = read_connection(file).peers
        except ValueError as error:
            raise SettingsError(str(error)) from error
    identities = Identities(settings)
    reader = partial(identities.get, settings.msp_id(), "auditor")
    reader()  # rather now than at the first question
    lock = writer_lock(settings.ledger_dir)
    return FabricLedger(peers, reader, settings.ledger.channel, settings.ledger.chaincode, on_close=lock.close)
