"""Which chaincodes are on the channel, kept in the network's home: what `up` starts and a peer that lost its data needs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from network.deployment import Definition
from network.files import write_whole


@dataclass(frozen=True)
class Deployed:
    """A definition, and the slot (see `Deployment.deploy`) its package's servers listen on."""

    definition: Definition
    slot: int


class Definitions:
    """The last definition of every chaincode, by name."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def keep(self, definition: Definition, slot: int) -> None:
        """Remember a definition in place of the chaincode's earlier one."""
        document = self._read() | {definition.name: asdict(Deployed(definition, slot))}
        write_whole(self._file, orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str))

    def get(self, name: str) -> Deployed | None:
        """A chaincode's definition, None if it was never deployed from here."""
        return next((found for found in self.all() if found.definition.name == name), None)

    def all(self) -> list[Deployed]:
        """Every chaincode's."""
        return [_deployed(entry) for entry in self._read().values()]

    def _read(self) -> dict[str, Any]:
        return dict(orjson.loads(self._file.read_bytes())) if self._file.exists() else {}


def _deployed(entry: dict[str, Any]) -> Deployed:
    fields = entry["definition"]
    collections = fields["collections"]
    return Deployed(Definition(**{**fields, "collections": collections and Path(collections)}), entry["slot"])
