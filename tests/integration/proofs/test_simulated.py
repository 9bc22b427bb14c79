"""Proofs of a simulated supply network: they hold, they have what the trace has, and no event can be taken from any of them."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path

import pytest

from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from proofs import ProofError, Roots, verify
from proving import Prover
from readmodel import Projector, migrate, open_engine
from readmodel.queries.trace import trace
from simulation import Anomalies, SimulationConfig, simulate
from tests.effort import examples
from tests.integration.proofs.rewriting import rewritten
from tests.integration.simulation.captured import Upload

OFTEN = Anomalies(lost_pallet=0.05, short_delivery=0.3, missing_receipt=0.05, late_upload=0.1, duplicate_upload=0.05)
CONFIG = SimulationConfig(events=1_200, days=60, seed=11, end=date(2026, 1, 1), anomalies=OFTEN)
_BY_KIND = "SELECT uri FROM thing WHERE kind = ? ORDER BY id"


async def test_every_event_of_every_proof_is_needed(tmp_path: Path) -> None:
    upload = Upload(tmp_path / "ledger", simulate(CONFIG))
    await upload.register()
    await upload.send(upload.run.batches())
    ledger = await EmbeddedLedger.open(upload.directory, read_only=True)
    migrate(f"sqlite:///{tmp_path / 'readmodel.db'}")
    engine = open_engine(f"sqlite:///{tmp_path / 'readmodel.db'}")
    await Projector(engine).run(ledger, until=await ledger.height())
    homes = {msp: upload.directory / "organisations" / msp for msp in upload.run.msp_ids}
    roots = Roots({msp: [(home / "ca.pem").read_bytes()] for msp, home in homes.items()})
    asking = ca.issue(next(iter(homes.values())), "auditor", "client")
    prover = Prover(engine, ledger, asking, one_party=True)
    chance = random.Random(5)
    with engine.connect() as connection:
        things = [
            row[0]
            for kind in ("instance", "lot")
            for row in chance.sample(list(connection.exec_driver_sql(_BY_KIND, (kind,))), examples(6))
        ]
    left_out = 0
    for uri in things:
        for direction in ("upstream", "downstream"):
            proof = await prover.prove("trace", uri, direction=direction)
            raw = proof.to_json()
            found = verify(raw, roots, start=uri)
            with engine.connect() as connection:
                answer = trace(connection, uri, direction=direction)
            assert answer is not None
            missing = {one.id for one in answer.nodes if one.kind != "transformation"} - dict(found.nodes).keys()
            assert not missing, (uri, direction)
            places = range(len(proof.records))
            for gone in places if len(places) <= 40 else chance.sample(places, 40):
                less = json.loads(raw)
                del less["records"][gone], less["answer"]["events"][gone]
                less["trails"] = [
                    [name, writer, [n - (n > gone) for n in listed if n != gone]]
                    for name, writer, listed in less["trails"]
                ]
                with pytest.raises(ProofError, match=r"^trail"):
                    verify(rewritten(less), roots)
                left_out += 1
    assert left_out > 50
    engine.dispose()
    await ledger.close()
