"""What is particular to the embedded adapter: one writer, readers in other processes, files, its event loop."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import threading
import time
from pathlib import Path

import pytest

from ledger import InvalidIdentity, Unavailable, ca
from ledger.embedded.adapter import EmbeddedLedger
from ledger.port import Ledger
from tests.integration.ledger.notebook import Notebook

ROOT = Path(__file__).resolve().parents[3]
MSP = "FarmMSP"


async def make(folder: Path, contract: Notebook | None = None) -> EmbeddedLedger:
    return await EmbeddedLedger.create(folder, [MSP, "ShopMSP"], contract=contract or Notebook())


async def test_it_is_a_ledger(tmp_path: Path) -> None:
    ledger: Ledger = await make(tmp_path)
    await ledger.close()
    await ledger.close()


async def test_one_writer_only(tmp_path: Path) -> None:
    ledger = await make(tmp_path)
    with pytest.raises(Unavailable, match="another process writes"):
        await EmbeddedLedger.open(tmp_path, contract=Notebook())
    await ledger.close()
    await (await EmbeddedLedger.open(tmp_path, contract=Notebook())).close()


async def test_a_ledger_is_made_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await EmbeddedLedger.open(tmp_path)
    await (await make(tmp_path)).close()
    before = (tmp_path / "organisations" / MSP / "ca.pem").read_bytes()
    with pytest.raises(FileExistsError):
        await make(tmp_path)
    assert (tmp_path / "organisations" / MSP / "ca.pem").read_bytes() == before


async def test_an_unfinished_ledger_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "ledger.new").write_bytes(b"half a file")
    await (await make(tmp_path)).close()
    assert not (tmp_path / "ledger.new").exists()


async def test_reading_without_a_writer_and_beside_one(tmp_path: Path) -> None:
    ledger = await make(tmp_path)
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    await ledger.submit("put", [b"k", b"1"], identity=farmer)
    reader = await EmbeddedLedger.open(tmp_path, read_only=True, contract=Notebook())
    assert json.loads(await reader.evaluate("get", [b"k"], identity=farmer)) == ["1"]
    with pytest.raises(Unavailable, match="reading only"):
        await reader.submit("put", [b"k", b"2"], identity=farmer)
    await ledger.submit("put", [b"k", b"2"], identity=farmer)
    assert json.loads(await reader.evaluate("get", [b"k"], identity=farmer)) == ["2"]
    await reader.close()
    await ledger.close()
    reader = await EmbeddedLedger.open(tmp_path, read_only=True, contract=Notebook())
    assert await reader.height() == 3
    await reader.close()


_FOLLOWER = """
import asyncio, sys, time
from pathlib import Path
from ledger.embedded.adapter import EmbeddedLedger

async def main():
    ledger = await EmbeddedLedger.open(Path(sys.argv[1]), read_only=True)
    async for block in ledger.blocks():
        print(block.header.number, time.monotonic(), flush=True)

asyncio.run(main())
"""


async def test_another_process_follows_within_twenty_milliseconds(tmp_path: Path) -> None:
    ledger = await make(tmp_path)
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    follower = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _FOLLOWER, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert follower.stdout is not None
    assert (await follower.stdout.readline()).split()[0] == b"0"
    delays = []
    for n in range(1, 31):
        await ledger.submit("put", [b"k", str(n).encode()], identity=farmer)
        committed = time.monotonic()
        number, seen = (await asyncio.wait_for(follower.stdout.readline(), 10)).split()
        assert int(number) == n
        delays.append(float(seen) - committed)
        await asyncio.sleep(n / 2000)  # at any moment between two looks
    follower.kill()
    await follower.wait()
    await ledger.close()
    assert statistics.median(delays) <= 0.02


async def test_the_contract_runs_off_the_event_loop(tmp_path: Path) -> None:
    contract = Notebook()
    ledger = await make(tmp_path, contract)
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    await ledger.submit("put", [b"k", b"1"], identity=farmer)
    await ledger.evaluate("get", [b"k"], identity=farmer)
    await ledger.close()
    assert contract.threads
    assert threading.get_ident() not in contract.threads


async def test_blocks_do_not_wait_for_a_long_question(tmp_path: Path) -> None:
    asked, go_on = threading.Event(), threading.Event()

    class Slow(Notebook):
        def invoke(self, stub):  # type: ignore[no-untyped-def]
            asked.set()
            assert go_on.wait(20)
            return super().invoke(stub)

    ledger = await make(tmp_path, Slow())
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    question = asyncio.create_task(ledger.evaluate("get", [b"k"], identity=farmer))
    await asyncio.to_thread(asked.wait, 10)
    try:
        assert await asyncio.wait_for(ledger.height(), 10) == 1
    finally:
        go_on.set()
    await question
    await ledger.close()


async def test_a_question_sees_one_state(tmp_path: Path) -> None:
    """A commit between two reads of one evaluate must not show."""
    first, go_on = threading.Event(), threading.Event()

    class Twice(Notebook):
        def invoke(self, stub):  # type: ignore[no-untyped-def]
            if stub.args()[0] != b"get":
                return super().invoke(stub)
            stub.get_state("a")
            first.set()
            assert go_on.wait(20)
            return super().invoke(stub)

    ledger = await make(tmp_path, Twice())
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    await ledger.submit("put", [b"a", b"1", b"b", b"1"], identity=farmer)
    question = asyncio.create_task(ledger.evaluate("get", [b"a", b"b"], identity=farmer))
    await asyncio.to_thread(first.wait, 10)
    await ledger.submit("put", [b"a", b"2", b"b", b"2"], identity=farmer)
    go_on.set()
    assert json.loads(await question) == ["1", "1"]
    await ledger.close()


async def test_a_contract_may_not_write_nothing(tmp_path: Path) -> None:
    """An empty value is a deletion to Fabric's peers, so it is refused here."""
    from ledger import RejectedByContract

    ledger = await make(tmp_path)
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    with pytest.raises(RejectedByContract, match="empty"):
        await ledger.submit("put", [b"k", b""], identity=farmer)
    await ledger.close()


async def test_a_file_that_cannot_be_written_is_unavailable_and_nothing_is_lost(tmp_path: Path) -> None:
    ledger = await make(tmp_path)
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    ledger._store._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Unavailable, match="full") as refusal:
        await ledger.submit("put", [b"k", b"x" * 500_000], identity=farmer, nonce=b"n" * 24)
    assert refusal.value.retryable
    ledger._store._db.execute("PRAGMA max_page_count = 1000000")
    done = await ledger.submit("put", [b"k", b"x" * 500_000], identity=farmer, nonce=b"n" * 24)
    assert done.block == 1
    assert await ledger.height() == 2
    await ledger.close()


async def test_a_damaged_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(Unavailable, match="file"):
        await EmbeddedLedger.open(tmp_path)


async def test_who_belongs_to_the_channel_is_on_the_chain_not_in_the_folders(tmp_path: Path) -> None:
    ledger = await make(tmp_path)
    late = tmp_path / "organisations" / "LateMSP"
    ca.create_organisation(late, "LateMSP")
    latecomer = ca.issue(late, "latecomer", "admin")
    await ledger.close()
    ledger = await EmbeddedLedger.open(tmp_path, contract=Notebook())
    orderer = ca.load_identity(tmp_path / "organisations" / "OrdererMSP", "orderer0")
    for identity in (latecomer, orderer):
        with pytest.raises(InvalidIdentity, match="not an organisation of this channel"):
            await ledger.submit("put", [b"k", b"v"], identity=identity)
    await ledger.close()


async def test_commits_are_synced_to_disk(tmp_path: Path) -> None:
    ledger = await make(tmp_path)
    full = 2
    assert ledger._store._db.execute("PRAGMA synchronous").fetchone() == (full,)
    await ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
