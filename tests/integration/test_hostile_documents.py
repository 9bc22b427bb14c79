"""Documents of somebody who means harm, from the edge to the answers: nothing stops anywhere.

``python -m tests.integration.test_hostile_documents 100000`` tries as many as asked for, with other seeds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine

from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from readmodel import Projector, digest, migrate, open_engine
from readmodel.projector import clear
from readmodel.queries import quarantined
from relay.intake import Intake, read
from tests.hostile import Hostile
from tests.pipeline import ORGANISATIONS, Pipeline

_A_BLOCK = 10
_A_LEDGER = 500
"""Documents."""


def _run(engine: Engine, seed: int, documents: int) -> Counter[str]:
    clear(engine)
    pipeline, hostile = Pipeline(engine), Hostile(seed)
    for n in range(1, documents + 1):
        body = hostile.document()
        try:
            pipeline.take(body, hostile.random.choice(ORGANISATIONS))
            if n % _A_BLOCK == 0:
                pipeline.project()
            if n % 50 == 0:
                pipeline.ask()
        except Exception as error:
            error.add_note(f"seed {seed}, document {n}: {body.decode()[:3_000]}")
            raise
    return pipeline.counts


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = open_engine(tmp_path / "model.db")
    migrate(made)
    return made


@pytest.mark.parametrize("seed", range(6))
def test_nothing_that_is_accepted_stops_anything(engine: Engine, seed: int) -> None:
    counts = _run(engine, seed, _A_LEDGER)
    assert min(counts[word] for word in ("accepted", "rejected", "duplicate", "refused at the edge")) > 0


async def test_nor_does_it_on_a_ledger_of_real_blocks(tmp_path: Path, fresh_engine: Callable[[], Engine]) -> None:
    """The same through the embedded ledger, projected as it comes and all at once."""
    ledger = await EmbeddedLedger.create(tmp_path / "ledger", list(ORGANISATIONS))
    people = [ca.issue(tmp_path / "ledger" / "organisations" / msp, "somebody", "admin") for msp in ORGANISATIONS]
    one, other = fresh_engine(), fresh_engine()
    projector, hostile = Projector(one), Hostile(99)
    for n in range(60):
        groups = []
        for number in range(5):
            reading = read(hostile.document())
            if isinstance(reading, Intake):
                groups.append(b'{"id":"%d","onError":"proceed","events":%s}' % (number, reading.payload))
        call = [b'{"groups":[' + b",".join(groups) + b"]}"]
        await ledger.submit("capture", call, identity=people[n % 3])
        await projector.run(ledger, until=await ledger.height())
    await Projector(other).run(ledger, until=await ledger.height())
    await ledger.close()
    with one.connect() as connection:
        assert quarantined(connection).items == []
    assert digest(one) == digest(other)


@pytest.fixture
def fresh_engine(tmp_path: Path) -> Callable[[], Engine]:
    numbers = iter(range(9))

    def make() -> Engine:
        made = open_engine(tmp_path / f"model{next(numbers)}.db")
        migrate(made)
        return made

    return make


def main() -> None:
    documents, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    began, total = time.monotonic(), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(Path(folder) / "model.db")
        migrate(engine)
        for number in range(documents // _A_LEDGER):
            total += _run(engine, seed + number, _A_LEDGER)
            print(f"{(number + 1) * _A_LEDGER:,} documents, {time.monotonic() - began:.0f} s", flush=True)
        engine.dispose()
    print(orjson.dumps(total, option=orjson.OPT_SORT_KEYS).decode())


if __name__ == "__main__":
    main()
