"""Ledgers that are older than trails: they go on, and their proofs say from where on they are complete."""

from __future__ import annotations

import pytest

from chaincode.state import State
from proofs import verify
from tests.integration.proofs.conftest import MADE, RAW, World, tell
from tests.unit.chaincode.peer import B, event, item, quantities


def _without_trails(before: object) -> object:
    """The contract as it was: nothing that it writes has to do with trails."""

    def flush(state: State) -> int:
        for key, record in list(state._written.items()):
            if key.startswith("\x00TR\x00"):
                del state._written[key]
            elif isinstance(record, dict):
                state._written[key] = {name: record[name] for name in record if name not in ("trail", "trails")}
        return before(state)  # type: ignore[operator, no-any-return]

    return flush


async def test_a_ledger_that_is_older_than_trails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as first:
        first.setattr(State, "flush", _without_trails(State.flush))
        await tell(world)
    proof = await world.prover.prove("thing", item(2))
    found = verify(proof.to_json(), world.roots)
    assert (found.events, found.older) == ([], [item(2)])
    seen = event("ObjectEvent", 30, "inspecting", B, action="OBSERVE", epcList=[item(2)])
    sold = event("ObjectEvent", 31, "inspecting", B, action="OBSERVE", quantityList=quantities({MADE: 1}))
    await world.capture(seen, sold, msp="BMSP")
    found = verify((await world.prover.prove("thing", item(2))).to_json(), world.roots)
    assert (len(found.events), found.older) == (1, [item(2)])
    for uri in (MADE, RAW, item(2), item(50)):
        proof = await world.prover.prove("trace", uri, direction="both", shown={"nodes": [RAW], "events": ["x"]})
        assert uri in verify(proof.to_json(), world.roots).older
