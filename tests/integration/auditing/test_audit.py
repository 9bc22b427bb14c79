"""A digit changed in a block, in the world state or in a table: found and named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from auditing import audit, read_report
from instance.creation import load_settings
from instance.ledgers import open_readers
from ledger.embedded.adapter import EmbeddedLedger
from tests.integration.lotline.run import answer, lotline

ROOT = Path(__file__).resolve().parents[3]
PARTIES = (("FarmMSP", "9521000002005", "9521000002012"), ("ShopMSP", "9521000003002", "9521000003019"))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with a short history in its tables."""
    home = tmp_path_factory.mktemp("audited") / "home"
    lotline(home, "init", "-o", "FarmMSP", "-o", "ShopMSP")
    for msp, party, place in PARTIES:
        lotline(home, "party", "add", party, "--name", msp, "-o", msp)
        lotline(home, "place", "add", place, "--party", party, "--name", "store", "-o", msp)
    lotline(home, "capture", "-o", "FarmMSP", str(ROOT / "docs/examples/farm.jsonld"))
    lotline(home, "capture", "-o", "ShopMSP", str(ROOT / "docs/examples/shop.jsonld"))
    return home


@pytest.fixture
def home(original: Path, tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    copied = tmp_path / "home"
    shutil.copytree(original, copied)
    return copied


def change(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0


def found(home: Path) -> list[tuple[str, str, str]]:
    report = answer(home, "audit", code=1)
    return [(one["where"], one["what"], one["detail"]) for one in report["findings"]]


def test_nothing_was_changed(home: Path) -> None:
    report = answer(home, "audit")
    assert (report["count"], report["findings"], report["unread"]) == (0, [], [])
    assert report["blocks"] > 5
    assert report["rows"] > 30
    assert read_report(home / "run") is not None
    assert "nothing was changed" in lotline(home, "audit").stdout


def test_a_digit_in_a_block(home: Path) -> None:
    with closing(sqlite3.connect(home / "ledger" / "ledger.db")) as database, database:
        number, content = database.execute(
            "SELECT number, content FROM block WHERE instr(content, CAST('APPLES-1' AS BLOB)) ORDER BY number LIMIT 1"
        ).fetchone()
        changed = content.replace(b"APPLES-1", b"APPLES-7", 1)
        database.execute("UPDATE block SET content = ? WHERE number = ?", (changed, number))
    told = found(home)
    assert ("blocks", f"block {number}") in [(where, what) for where, what, _ in told]
    assert any(where == "blocks" and detail.startswith("data_hash") for where, _, detail in told)
    assert any(where == "tables" and f"block {number}" in detail for where, _, detail in told)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE state SET value = replace(value, '120', '720') WHERE key LIKE '%LB%'", "its value is not the one"),
        ("DELETE FROM state WHERE key LIKE '%LB%'", "it is not there"),
        ("INSERT INTO state VALUES (char(0) || 'LB' || char(0) || 'made up' || char(0), '{}', 3)", "it is there"),
    ],
    ids=["changed", "deleted", "added"],
)
def test_a_value_in_the_world_state(home: Path, statement: str, words: str) -> None:
    # LIKE ends at the zero that composite keys begin with; a plain search does not
    statement = statement.replace("key LIKE '%LB%'", "instr(key, char(0) || 'LB' || char(0)) > 0")
    change(home / "ledger" / "ledger.db", statement)
    told = found(home)
    assert told
    assert all(where == "state" and what.startswith("LB ") and words in detail for where, what, detail in told)


@pytest.mark.parametrize(
    ("statement", "what", "detail"),
    [
        ("UPDATE thing SET status = 'stolen' WHERE uri LIKE '%APPLES-1'", "thing ", "status is 'stolen' and should be"),
        ("DELETE FROM event WHERE id = 1", "event ", "this row is missing"),
        (
            "INSERT INTO master_data (id, msp, kind, attributes) VALUES ('x', 'FarmMSP', 'other', '{}')",
            "master_data ",
            "no block makes this row",
        ),
    ],
    ids=["changed", "deleted", "added"],
)
def test_a_row_of_the_read_model(home: Path, statement: str, what: str, detail: str) -> None:
    change(home / "readmodel.db", statement)
    ((where, row, how),) = found(home)
    assert where == "tables"
    assert row.startswith(what)
    assert detail in how


def test_the_last_block_cut_off(home: Path) -> None:
    change(home / "ledger" / "ledger.db", "DELETE FROM block WHERE number = (SELECT max(number) FROM block)")
    assert ("tables", "its blocks") in [(where, what) for where, what, _ in found(home)]


class Crooked:
    """A peer that answers with a block in which a digit is another."""

    def __init__(self, honest: EmbeddedLedger) -> None:
        self.height = honest.height
        self._honest = honest

    async def blocks(self, start: int = 0) -> AsyncIterator[Any]:
        async for block in self._honest.blocks(start):
            if block.header.number == 3:
                block.data.data[0] = block.data.data[0].replace(b"952100000200", b"952100000201", 1)
            yield block


async def test_one_organisations_block_does_not_hide_a_row(home: Path) -> None:
    change(home / "readmodel.db", "UPDATE event SET biz_step = 'destroying' WHERE id = 1")
    settings = load_settings(home)
    (honest,) = (await open_readers(settings)).values()
    assert isinstance(honest, EmbeddedLedger)
    report = await audit(settings, copies={"FarmMSP": Crooked(honest), "ShopMSP": honest})  # type: ignore[dict-item]
    await honest.close()
    assert ("blocks", "peers of FarmMSP", "block 3") in {(one.where, one.whose, one.what) for one in report.findings}
    assert [one.detail for one in report.findings if one.where == "tables"] == [
        "biz_step is 'destroying' and should be 'commissioning'"
    ]
