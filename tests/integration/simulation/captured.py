"""A simulation's events onto an embedded ledger, and what the ledger then holds, folded from its blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from chaincode.answers import verdicts_of
from fabric.words.blocks import Write, decode_block
from fabric.words.identity import Identity
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from simulation import Batch, Simulation

State = dict[str, dict[tuple[str, ...], dict[str, Any]]]
"""By kind of record: the key's attributes and the record."""


@dataclass
class Upload:
    """Sends batches, each as the organisation that says it."""

    directory: Path
    run: Simulation
    verdicts: Counter[str] = field(default_factory=Counter)

    async def register(self) -> None:
        """A new channel on which parties and places are known."""
        ledger = await EmbeddedLedger.create(self.directory, self.run.msp_ids)
        for function, kind in (("registerParty", "parties"), ("registerPlace", "places")):
            for msp_id in self.run.msp_ids:
                records = [
                    {name: value for name, value in record.items() if name != "msp"}
                    for record in self.run.master_data[kind]
                    if record["msp"] == msp_id
                ]
                if records:
                    await ledger.submit(function, [orjson.dumps(records)], identity=self._person(msp_id))
        await ledger.close()

    async def send(self, batches: Iterable[Batch]) -> None:
        """Opens the ledger, captures, closes it."""
        ledger = await EmbeddedLedger.open(self.directory)
        people = {msp_id: self._person(msp_id) for msp_id in self.run.msp_ids}
        for batch in batches:
            group = {"id": "simulated", "onError": "proceed", "events": batch.events}
            done = await ledger.submit("capture", [orjson.dumps({"groups": [group]})], identity=people[batch.msp_id])
            for verdict in verdicts_of(orjson.loads(done.result)["groups"][0]):
                self.verdicts[verdict["verdict"]] += 1
        await ledger.close()

    def _person(self, msp_id: str) -> Identity:
        return ca.issue(self.directory / "organisations" / msp_id, "clerk", "admin")


async def state_of(directory: Path) -> State:
    """The latest record of every key."""
    ledger = await EmbeddedLedger.open(directory, read_only=True)
    state: State = {}
    height = await ledger.height()
    async for block in ledger.blocks():
        for write in (write for transaction in decode_block(block).transactions for write in transaction.writes):
            if write.key.startswith("\x00"):
                _apply(state, write)
        if block.header.number + 1 == height:
            break
    await ledger.close()
    return state


def _apply(state: State, write: Write) -> None:
    kind, *attributes = write.key.strip("\x00").split("\x00")
    records = state.setdefault(kind, {})
    if write.value is None:
        records.pop(tuple(attributes), None)
    else:
        records[tuple(attributes)] = orjson.loads(write.value)
