"""What `lotline trace` and `lotline thing` say of goods that changed hands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.lotline.run import answer, lotline

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
PRODUCT = "(01)09521000001008"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A farm sent 120 kg of apples, a shop received 110."""
    made = tmp_path_factory.mktemp("apples") / "home"
    lotline(made, "init", "-o", "FarmMSP=Green Farm", "-o", "ShopMSP=Corner Shop")
    lotline(made, "capture", "-o", "FarmMSP", str(EXAMPLES / "farm.jsonld"))
    lotline(made, "capture", "-o", "ShopMSP", str(EXAMPLES / "shop.jsonld"))
    return made


def test_goods_that_changed_hands_did_not_come_from_nothing(home: Path) -> None:
    said = lotline(home, "trace", "APPLES-1").stdout
    assert "nothing that is on the ledger" not in said
    (came,) = [line for line in said.splitlines() if line.startswith("came from")]
    assert "released 2026-05-04, accepted 2026-05-05, 110 of 120 kg" in came
    assert "Less arrived than left" in said
    (handoff,) = answer(home, "trace", "APPLES-1")["handoffs"]
    assert (handoff["released"], handoff["accepted"], handoff["status"]) == ("120", "110", "disputed")
    assert [fault["kind"] for fault in handoff["faults"]] == ["shortage"]


def test_a_product_is_traced_as_its_lots(home: Path) -> None:
    said = lotline(home, "trace", PRODUCT).stdout
    assert "a product: the trace of its 1 lots" in said
    assert "10/APPLES-1" in said
    assert len(answer(home, "trace", PRODUCT)["events"]) == 3


def test_a_lot_adds_up_or_says_what_is_missing(home: Path) -> None:
    said = lotline(home, "thing", "APPLES-1").stdout
    assert "in all 110 kg: loose 110, packed 0, in transit 0" in said
    assert "made 120 - missing 10 = 110 kg, on hand 110: it adds up but for what is missing" in said
    assert "open exception: shortage (high)" in said
    (balance,) = answer(home, "thing", "APPLES-1")["massBalance"]
    assert (balance["missing"], balance["difference"]) == ("10", "0")
