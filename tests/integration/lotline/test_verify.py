"""`lotline trace --proof` and `lotline verify`: proven here, verified anywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from proofs import CODES
from tests.integration.lotline.run import answer, lotline
from tests.integration.lotline.test_trace import home
from tests.integration.proofs.rewriting import rewritten

__all__ = ["home"]


@pytest.fixture(scope="module")
def folder(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but a proof and the organisations' roots."""
    made = tmp_path_factory.mktemp("auditor")
    (made / "roots").mkdir()
    for msp in ("FarmMSP", "ShopMSP"):
        shutil.copy(home / "ledger" / "organisations" / msp / "ca.pem", made / "roots" / f"{msp}.pem")
    lotline(home, "trace", "APPLES-1", "--proof", str(made / "proof.json"))
    return made


def _verify(folder: Path, *arguments: str, code: int = 0, file: str = "proof.json") -> str:
    words = ("verify", str(folder / file), "--roots", str(folder / "roots"), *arguments)
    result = lotline(folder / "no home", *words, code=code)
    assert not (folder / "no home").exists()
    return result.stdout + result.stderr


def test_a_proof_is_verified_without_a_home(folder: Path) -> None:
    said = _verify(folder)
    assert "signed by peers of FarmMSP, ShopMSP" in said
    assert "one party holds the keys of all" in said
    words = ("verify", str(folder / "proof.json"), "--roots", str(folder / "roots"))
    found = answer(folder, *words)
    assert (found["verified"], found["question"]["kind"], len(found["events"])) == (True, "trace", 3)


def test_each_failure_has_its_exit_code(folder: Path) -> None:
    assert "question" in _verify(folder, "--nonce", "another-nonce", code=CODES["question"])
    assert "quorum" in _verify(folder, "--quorum", "3", code=CODES["quorum"])
    assert "stale" in _verify(folder, "--block", "1000", code=CODES["stale"])
    document = json.loads((folder / "proof.json").read_text())
    del document["records"][1], document["answer"]["events"][1]
    document["trails"] = [
        [uri, writer, [n - (n > 1) for n in places if n != 1]] for uri, writer, places in document["trails"]
    ]
    (folder / "less.json").write_bytes(rewritten(document))
    assert "events are missing" in _verify(folder, code=CODES["trail"], file="less.json")
    (folder / "empty.json").write_text("")
    assert "format" in _verify(folder, code=CODES["format"], file="empty.json")


def test_roots_that_are_none_are_said(folder: Path, tmp_path: Path) -> None:
    said = lotline(folder, "verify", str(folder / "proof.json"), "--roots", str(tmp_path), code=2).stderr
    assert "has no root certificates" in said


def test_a_thing_has_a_proof_too(home: Path, folder: Path) -> None:
    lotline(home, "thing", "APPLES-1", "--proof", str(folder / "thing.json"))
    assert "verified: thing of https://id.gs1.org/01/09521000001008/10/APPLES-1" in _verify(folder, file="thing.json")


def test_a_product_has_none(home: Path, tmp_path: Path) -> None:
    said = lotline(home, "trace", "(01)09521000001008", "--proof", str(tmp_path / "p.json"), code=1).stderr
    assert "ask for one of them" in said
