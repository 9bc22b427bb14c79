"""Where a reader has come to: what comes next, and what a file that holds something else says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabric.gateway import ChaincodeEvent, FileCheckpointer, InMemoryCheckpointer

EVENT = ChaincodeEvent(7, "ab", "lotline", "told", b"")


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_what_comes_next(kind: str, tmp_path: Path) -> None:
    place = InMemoryCheckpointer() if kind == "memory" else FileCheckpointer(tmp_path / "place")
    assert (place.block_number, place.transaction_id) == (None, "")
    place.checkpoint_chaincode_event(EVENT)
    assert (place.block_number, place.transaction_id) == (7, "ab")
    place.checkpoint_transaction(7, "cd")
    assert (place.block_number, place.transaction_id) == (7, "cd")
    place.checkpoint_block(7)
    assert (place.block_number, place.transaction_id) == (8, "")


def test_a_file_holds_the_last_one_in_the_form_of_the_other_clients(tmp_path: Path) -> None:
    path = tmp_path / "place.json"
    FileCheckpointer(path).checkpoint_chaincode_event(EVENT)
    assert json.loads(path.read_text()) == {"blockNumber": 7, "transactionId": "ab"}
    again = FileCheckpointer(path)
    assert (again.block_number, again.transaction_id) == (7, "ab")
    assert [file.name for file in tmp_path.iterdir()] == ["place.json"]


@pytest.mark.parametrize(
    "content", ["{", "[]", "7", '{"transactionId": "ab"}', '{"blockNumber": "x"}', '{"blockNumber": null}']
)
def test_what_is_no_checkpoint_is_not_taken_for_a_beginning(tmp_path: Path, content: str) -> None:
    path = tmp_path / "place.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="is no checkpoint"):
        FileCheckpointer(path)
