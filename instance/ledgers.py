"""The ledger of an instance, whichever kind it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from instance.identities import Identities
from instance.settings import Settings, SettingsError
from ledger.embedded.adapter import EmbeddedLedger
from ledger.embedded.locks import writer_lock
from ledger.port import Ledger

if TYPE_CHECKING:
    from ledger.network.peers import GatewayPeer


async def open_ledger(settings: Settings) -> Ledger:
    """The instance's ledger, for writing. Raises `SettingsError` for files that are missing or wrong, and
    Unavailable while another process of this instance writes to it."""
    if settings.ledger.kind == "embedded":
        return await EmbeddedLedger.open(settings.ledger_dir)
    return _fabric(settings, _peers(settings), settings.msp_id(), writes=True)


async def open_readers(settings: Settings) -> dict[str, Ledger]:
    """The instance's ledger for reading, beside whoever writes to it: by organisation, through its own peers; the embedded one once."""
    if settings.ledger.kind == "embedded":
        return {settings.msp_id(): await EmbeddedLedger.open(settings.ledger_dir, read_only=True)}
    return {msp_id: _fabric(settings, {msp_id: peers}, msp_id) for msp_id, peers in _peers(settings).items()}


def _fabric(
    settings: Settings, peers: dict[str, Sequence[GatewayPeer]], msp_id: str, *, writes: bool = False
) -> Ledger:
    """The channel through these peers; an organisation's auditor reads."""
    # gRPC is loaded by those who need it
    from ledger.network.adapter import FabricLedger

    reader = partial(Identities(settings).get, msp_id, "auditor")
    reader()  # rather now than at the first question
    on_close = writer_lock(settings.ledger_dir).close if writes else lambda: None
    return FabricLedger(peers, reader, settings.ledger.channel, settings.ledger.chaincode, on_close=on_close)


def _peers(settings: Settings) -> dict[str, Sequence[GatewayPeer]]:
    from ledger.network.connection import read_connection

    peers: dict[str, Sequence[GatewayPeer]] = {}
    for organisation in settings.ledger.organisations:
        file = settings.organisation_dir(organisation.msp_id) / "connection.json"
        try:
            peers[organisation.msp_id] = read_connection(file).peers
        except ValueError as error:
            raise SettingsError(str(error)) from error
    return peers
