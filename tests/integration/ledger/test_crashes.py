"""A writer that is killed at any moment leaves a whole chain, with everything that it acknowledged."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fabric.verify import verify_chain
from fabric.words.blocks import decode_block
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from tests.integration.ledger import independent
from tests.integration.ledger.notebook import Notebook

KILLS = 6


def killed_writer(folder: Path, lines: int) -> list[str]:
    """What a writer acknowledged before it was killed, somewhere after so many lines."""
    command = [sys.executable, "-m", "tests.integration.ledger.writer", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        said = [process.stdout.readline().strip() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        said += [line.strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    return said


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    ledger = await EmbeddedLedger.create(tmp_path, ["FarmMSP"], contract=Notebook())
    farmer = ca.issue(tmp_path / "organisations" / "FarmMSP", "farmer", "admin")
    await ledger.close()
    dice = random.Random(5)
    acknowledged = [key for _ in range(KILLS) for key in killed_writer(tmp_path, dice.randint(1, 40))]
    assert len(acknowledged) >= KILLS

    ledger = await EmbeddedLedger.open(tmp_path, contract=Notebook())
    blocks = [await ledger.block(number) for number in range(await ledger.height())]
    independent.verify([block.SerializeToString() for block in blocks])
    assert verify_chain(blocks) == []
    written = [
        write.key
        for block in blocks[1:]
        for transaction in decode_block(block).transactions
        if transaction.valid
        for write in transaction.writes
        if write.key != "log"
    ]
    assert len(written) == len(set(written))
    assert set(acknowledged) <= set(written)
    # at most the one under way at each kill was committed without having been acknowledged
    assert len(written) - len(acknowledged) <= KILLS
    # a client that heard nothing sends again with the same nonce, and applies nothing twice
    height = await ledger.height()
    for key in written[-3:]:
        await ledger.submit("put", [key.encode(), b"y"], identity=farmer, nonce=key.encode().rjust(24, b"0"))
    assert await ledger.height() == height
    await ledger.close()
