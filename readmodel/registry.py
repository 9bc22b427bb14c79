"""Who and what is registered, the channel's rules, what was published, and what organisations call things."""

from __future__ import annotations

from readmodel.bulk import Bulk
from readmodel.ids import Ids
from readmodel.scan import Scan
from readmodel.tables import Config, Device, DeviceChain, MasterData, Party, Place, Published

_PLACE = (
    *("id", "registered", "adopted", "msp", "party_id", "name", "kind"),
    *("latitude", "longitude", "country", "detail"),
)
_PUBLISHED = ("kind", "key", "digest", "msp", "submitter", "transaction_id", "published_at", "document")


def write_registry(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    """Bring all of it up to date."""
    parties, places = ids.parties.known, ids.places.known
    columns = ("id", "registered", "adopted", "msp", "name", "detail")
    bulk.update(Party, columns, [(parties[uri], *row) for uri, row in scan.party_records.items()])
    bulk.update(
        Place,
        _PLACE,
        [(places[uri], *row[:3], ids.party(row[3]), *row[4:]) for uri, row in scan.place_records.items()],
    )
    bulk.upsert(
        Device,
        ("id", "msp", "party_id", "algorithm", "public_key", "name", "status", "detail"),
        [(key, row[0], ids.party(row[1]), *row[2:]) for key, row in scan.devices.items()],
    )
    chain = ("id", "counter", "known", "explained", "received")
    bulk.upsert(DeviceChain, chain, [(key, *row) for key, row in scan.device_chains.items()])
    bulk.upsert(Published, _PUBLISHED, list(scan.published.values()))
    bulk.upsert(Config, ("key", "document"), list(scan.config.items()))
    said = [(*key, *row) for key, row in scan.master_data.items() if row is not None]
    bulk.upsert(MasterData, ("id", "msp", "kind", "name", "attributes"), said)
    bulk.delete(MasterData, ("id", "msp"), [key for key, row in scan.master_data.items() if row is None])
