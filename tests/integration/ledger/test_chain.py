"""The blocks of the embedded ledger keep Fabric's rules: checked by independent code, from the bytes in the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fabric.words.identity import Identity
from fabric.words.keys import KeyType
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from tests.integration.ledger import independent
from tests.integration.ledger.independent import BrokenRuleError
from tests.integration.ledger.notebook import Notebook

MSP = "FarmMSP"


def raw_blocks(folder: Path) -> list[bytes]:
    with sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True) as file:
        return [content for (content,) in file.execute("SELECT content FROM block ORDER BY number")]


def stored_state(folder: Path) -> dict[tuple[str, str], tuple[bytes, tuple[int, int]]]:
    with sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True) as file:
        rows = file.execute("SELECT key, value, block FROM state")
        return {("lotline", key): (value, (block, 0)) for key, value, block in rows}


async def write_everything(ledger: EmbeddedLedger, identity: Identity, rounds: int = 4) -> None:
    """Every kind of read and write: fresh, repeated, deleted, deleted and back, ranges, events, large, not ASCII."""
    for n in range(rounds):
        await ledger.submit("put", [b"apples", str(n).encode(), f"k{n}".encode(), b"x" * 300], identity=identity)
        await ledger.submit("append", [b"log", b"x" * 20_000], identity=identity)
        await ledger.submit("file", ["Früchte".encode(), f"\U0001f34e {n}".encode(), b"1"], identity=identity)
        await ledger.submit("file", ["Früchte".encode(), f"ￜ{n}".encode(), b"1"], identity=identity)
        await ledger.submit("list", ["Früchte".encode()], identity=identity)
        await ledger.submit("get", [b"apples", b"nothing"], identity=identity)
        await ledger.submit("about", [], identity=identity, transient={"pin": b"0815"})
        await ledger.submit("delete", [b"apples"] if n % 2 else [b"k0", b"nothing"], identity=identity)


@pytest.mark.parametrize("organisations", [[MSP], [MSP, "ShopMSP"], [MSP, "ShopMSP", "TruckMSP", "PortMSP"]])
async def test_every_rule_holds(tmp_path: Path, organisations: list[str]) -> None:
    ledger = await EmbeddedLedger.create(tmp_path, organisations, contract=Notebook())
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    await write_everything(ledger, farmer, rounds=20)  # over 128 blocks: their numbers take two bytes in DER
    await ledger.close()
    blocks = raw_blocks(tmp_path)
    assert len(blocks) > 128
    state = independent.verify(blocks)
    assert state.values == stored_state(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.db") as file:
        index = {key.hex(): block for key, block in file.execute("SELECT id, block FROM tx")}
    assert index == state.transactions


async def test_a_chain_goes_on_after_reopening(tmp_path: Path) -> None:
    ledger = await EmbeddedLedger.create(tmp_path, [MSP, "ShopMSP"], contract=Notebook())
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    for _ in range(3):
        await write_everything(ledger, farmer, rounds=1)
        await ledger.close()
        ledger = await EmbeddedLedger.open(tmp_path, contract=Notebook())
    await ledger.close()
    assert independent.verify(raw_blocks(tmp_path)).values == stored_state(tmp_path)


async def test_every_rule_holds_whatever_the_members_keys(tmp_path: Path) -> None:
    ledger = await EmbeddedLedger.create(tmp_path, [MSP, "ShopMSP"], contract=Notebook())
    for kind in KeyType:
        farmer = ca.issue(tmp_path / "organisations" / MSP, kind, "admin", key_type=kind)
        assert ca.load_identity(tmp_path / "organisations" / MSP, kind) == farmer
        await write_everything(ledger, farmer, rounds=1)
    await ledger.close()
    assert independent.verify(raw_blocks(tmp_path)).values == stored_state(tmp_path)


async def test_the_independent_check_does_notice(tmp_path: Path) -> None:
    """A check that never fails proves nothing: one flipped bit anywhere in a transaction or header is found."""
    ledger = await EmbeddedLedger.create(tmp_path, [MSP], contract=Notebook())
    farmer = ca.issue(tmp_path / "organisations" / MSP, "farmer", "admin")
    await ledger.submit("append", [b"log", b"a"], identity=farmer)
    await ledger.submit("append", [b"log", b"b"], identity=farmer)
    await ledger.close()
    blocks = raw_blocks(tmp_path)
    broken = bytearray(blocks[1])
    for at in range(0, len(broken), 37):
        broken[at] ^= 1
        with pytest.raises((BrokenRuleError, ValueError, IndexError, KeyError, AttributeError, TypeError)):
            independent.verify([blocks[0], bytes(broken), blocks[2]])
        broken[at] ^= 1
    with pytest.raises(BrokenRuleError, match="numbered from 0"):
        independent.verify([blocks[0], blocks[2]])
