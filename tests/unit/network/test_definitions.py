"""Which chaincodes are on the channel is kept over restarts; the last definition of each counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from network.definitions import Definitions, Deployed
from network.deployment import Definition


def test_nothing_was_deployed(tmp_path: Path) -> None:
    definitions = Definitions(tmp_path / "definitions.json")
    assert definitions.all() == []
    assert definitions.get("lotline") is None


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "definitions.json"
    plain = Definition("lotline")
    private = Definition(
        "private", "2.1", 3, "OR('AMSP.peer')", Path("/some/collections.json"), init_required=True, package="shared"
    )
    Definitions(file).keep(plain, 0)
    Definitions(file).keep(private, 4)
    assert Definitions(file).all() == [Deployed(plain, 0), Deployed(private, 4)]


def test_the_next_definition_takes_the_place_of_the_last(tmp_path: Path) -> None:
    definitions = Definitions(tmp_path / "definitions.json")
    first = Definition("lotline")
    definitions.keep(first, 0)
    second = replace(first, version="2.0", sequence=2)
    definitions.keep(second, 1)
    assert definitions.get("lotline") == Deployed(second, 1)
    assert len(definitions.all()) == 1
