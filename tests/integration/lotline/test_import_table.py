"""`lotline import table`: an ERP's export onto the ledger, twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.lotline.run import answer, lotline

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
MAP = ("--map", str(EXAMPLES / "movements.toml"))
GTIN = "9521000001213"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    lotline(made, "init", "-o", "FarmMSP", "-o", "ShopMSP")
    for msp, party, place in (
        ("FarmMSP", "9521000002005", "9521000002012"),
        ("ShopMSP", "9521000003002", "9521000003019"),
    ):
        lotline(made, "party", "add", party, "--name", msp, "-o", msp)
        lotline(made, "place", "add", place, "--party", party, "--name", "store", "-o", msp)
    return made


def test_the_example_is_captured_once(home: Path) -> None:
    file = str(EXAMPLES / "movements.csv")
    preview = answer(home, "import", "table", file, *MAP, "--dry-run")
    assert (preview["usable"], preview["captured"], len(preview["preview"])) == (3, None, 3)
    first = answer(home, "import", "table", file, *MAP, "-o", "FarmMSP")
    assert first["captured"] == {"accepted": 3, "duplicate": 0, "rejected": 0}
    again = answer(home, "import", "table", file, *MAP, "-o", "FarmMSP")
    assert again["captured"] == {"accepted": 0, "duplicate": 3, "rejected": 0}
    assert "PEARS-7" in lotline(home, "thing", f"(01)0{GTIN}(10)PEARS-7").stdout


def test_lines_that_cannot_be_used_are_named_and_nothing_is_half_written(home: Path, tmp_path: Path) -> None:
    lines = (EXAMPLES / "movements.csv").read_text().splitlines()
    bad = tmp_path / "bad.csv"
    bad.write_text("\n".join([*lines[:2], lines[2].replace(GTIN, "9521000001214"), lines[3].replace(";551;", ";999;")]))
    told = answer(home, "import", "table", str(bad), *MAP, code=1)
    assert told["captured"] is None
    assert [(one["line"], one["column"]) for one in told["unusable"]] == [(3, "EAN"), (4, "Mvt")]
    words = lotline(home, "import", "table", str(bad), *MAP, code=1).stdout
    assert "line 4, Mvt: '999' is not in [movements]" in words
    assert "nothing was captured" in words
    others = answer(home, "import", "table", str(bad), *MAP, "--on-error", "proceed", code=1)
    assert others["captured"]["accepted"] == 1


def test_what_the_contract_refuses_is_named_by_its_line(home: Path) -> None:
    told = answer(home, "import", "table", str(EXAMPLES / "movements.csv"), *MAP, "-o", "ShopMSP", code=1)
    assert [one["number"] for one in told["refused"]] == [2, 3, 4]
    assert {one["code"] for one in told["refused"]} == {"not_your_place"}
