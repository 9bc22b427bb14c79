"""What is in the wheel, and that it works where nothing else is installed."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from lotline.extras import EXTRAS
from tests.packaging.checkout import HOMES, ROOT

NAMES = frozenset(
    [
        "api",
        "auditing",
        "chaincode",
        "epcis",
        "fabric",
        "forecasting",
        "instance",
        "ledger",
        "lotline",
        "network",
        "proofs",
        "proving",
        "readmodel",
        "relay",
        "simulation",
        "sources",
        "ui",
    ]
)
"""The folders that the wheel puts into an environment: all of them lie beside other people's packages, so each is named here and in
docs/operations.md, and none comes by accident."""
pytestmark = pytest.mark.slow


def test_it_holds_all_that_belongs_to_the_packages(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", *NAMES], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_it_holds_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    (told,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    assert {name.split("/")[0] for name in names} == NAMES | {told}
    assert [name for name in names if any(name.startswith(home) for home in HOMES)] == []
    assert [name for name in names if name.endswith((".key", ".token", ".pem", ".db"))] == []


def test_its_names_are_told() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in sorted(NAMES) if f"`{name}`" not in text] == []


def python(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python there, away from the sources."""
    return subprocess.run(
        [installed / "python", *words], capture_output=True, text=True, check=False, env={}, cwd=installed.parent
    )


def lotline(installed: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody does who has only the wheel."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LOTLINE_HOME")}
    done = subprocess.run(
        [installed / "lotline", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=installed.parent,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_the_least_that_is_installed(installed: Path) -> None:
    listed = subprocess.run(
        [installed / "python", "-m", "pip", "list", "--format", "json"], capture_output=True, text=True, check=True
    )
    have = {entry["name"].lower() for entry in json.loads(listed.stdout)}
    assert have & {"streamlit", "prophet", "pandas", "numpy", "fastapi", "psycopg", "scikit-learn"} == set()


def test_an_instance_from_its_making_to_a_trace(installed: Path, tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "home"))
    assert "capture" in lotline(installed, "--help").stdout
    lotline(installed, *home, "init", "-o", "FarmMSP=Green Farm", "-o", "ShopMSP=Corner Shop")
    farm, shop = ("-o", "FarmMSP"), ("-o", "ShopMSP")
    for words in [
        ("party", "add", "9521000002005", "--name", "Green Farm", *farm),
        ("place", "add", "9521000002012", "--party", "9521000002005", "--name", "Packing", *farm),
        ("party", "add", "9521000003002", "--name", "Corner Shop", *shop),
        ("place", "add", "9521000003019", "--party", "9521000003002", "--name", "Back door", *shop),
        ("capture", *farm, str(ROOT / "docs" / "examples" / "farm.jsonld")),
    ]:
        lotline(installed, *home, *words)
    assert json.loads(lotline(installed, *home, "--json", "status").stdout)["ledger"]
    assert "APPLES-1" in lotline(installed, *home, "trace", "APPLES-1").stdout
    lotline(installed, *home, "audit")
    lotline(installed, *home, "rebuild")


@pytest.mark.parametrize(
    ("words", "extra"), [(("forecast",), "forecast"), (("up", "--no-ui"), "api"), (("demo",), "forecast")]
)
def test_a_part_that_is_not_installed_says_how_to_get_it(
    installed: Path, tmp_path: Path, words: tuple[str, ...], extra: str
) -> None:
    said = lotline(installed, "--home", str(tmp_path / "home"), *words, code=3).stderr
    assert f"lotline[{extra}]" in said
    assert "Traceback" not in said
    assert not (tmp_path / "home").exists()


def test_a_read_model_in_a_database_without_its_extra(installed: Path, tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "home"))
    url = "postgresql://nobody@localhost/nothing"
    said = lotline(installed, *home, "init", "-o", "FarmMSP=Farm", "--database-url", url, code=3).stderr
    assert "lotline[postgres]" in said


def test_the_contracts_server(installed: Path) -> None:
    helped = python(installed, "-m", "chaincode", "--help")
    assert "CHAINCODE_SERVER_ADDRESS" in helped.stdout
    unsaid = python(installed, "-m", "chaincode")
    assert unsaid.returncode == 2
    assert "CHAINCODE_ID" in unsaid.stderr


def test_fabrics_binaries_can_be_built_from_it(installed: Path) -> None:
    """Building takes minutes (`make fabric` does); here: what is built lies where it is looked for, as it is in the sources."""
    done = python(installed, "-c", "import network.binaries as b; print(b._MODULES)")
    modules = Path(done.stdout.strip())
    assert installed.parent in modules.parents
    for file in ("fabric/go.mod", "fabric/go.sum", "fabric_ca/go.mod", "fabric_ca/go.sum"):
        assert (modules / file).read_bytes() == (ROOT / "network" / "binaries" / file).read_bytes()


def test_every_extra_is_one_of_the_wheels(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    offered = {
        line.removeprefix("Provides-Extra: ")
        for line in archive.read(metadata).decode().splitlines()
        if "Provides-Extra" in line
    }
    assert offered == {*EXTRAS, "all", "dev"}
