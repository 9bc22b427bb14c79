"""`lotline network` and an instance on it, as a new user would type it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from ledger.network.wallet import msp_identity
from tests.conftest import free_base_port
from tests.integration.api.conftest import document, event

pytestmark = pytest.mark.fabric


class Shell:
    """Commands on one home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lotline.cli", "--home", str(self.home), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def answer(self, *arguments: str) -> Any:
        return json.loads(self.run("--json", *arguments).stdout)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A network of two, and one orderer."""
    made = Shell(tmp_path_factory.mktemp("network") / "home")
    try:
        made.run("network", "up", "-o", "alpha", "-o", "beta", "--orderers", "1", "--base-port", str(free_base_port()))
        yield made
    finally:
        made.run("network", "reset", "--yes")
        assert not (made.home / "network").exists()


@pytest.fixture(scope="module")
def instance(shell: Shell) -> Shell:
    """With an instance on it."""
    shell.run("init", "--ledger", "fabric")
    return shell


def states(shell: Shell) -> dict[str, bool]:
    return {one["name"]: one["running"] for one in shell.answer("network", "status")}


def test_everything_runs_and_can_be_stopped_and_started(shell: Shell) -> None:
    found = states(shell)
    assert all(found.values())
    assert {name.split(".")[0] for name in found} == {"ca", "orderer1", "peer0", "chaincode"}
    shell.run("network", "stop", "peer0.beta.local")
    assert states(shell)["peer0.beta.local"] is False
    shell.run("network", "start", "peer0.beta.local")
    assert all(states(shell).values())
    shell.run("network", "stop", "peer0.beta.local")
    log = shell.home / "network" / "logs" / "peer0.beta.local.log"
    shown = shell.run("network", "logs", "peer0.beta.local", "-n", "5").stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())  # the log is coloured, a pipe is not
    assert shown.splitlines() == plain.splitlines()[-5:]
    shell.run("network", "start", "peer0.beta.local")


def test_mistakes_are_told(shell: Shell, tmp_path: Path) -> None:
    assert "There are: ca.alpha" in shell.run("network", "stop", "peer9", code=2).stderr.replace("ca.orderer, ", "")
    assert "--yes" in shell.run("network", "reset", code=2).stderr
    assert "no version" in shell.run("network", "upgrade", "--version", "../1", code=2).stderr
    assert "there is no network" in Shell(tmp_path / "none").run("network", "status", code=1).stderr
    assert (
        "BFT needs at least 4"
        in Shell(tmp_path / "few").run("network", "up", "--consensus", "bft", "--orderers", "3", code=2).stderr
    )
    other = Shell(tmp_path / "other")
    assert (
        "no organisation GammaMSP"
        in other.run("init", "--ledger", "fabric", "--network", str(shell.home), "-o", "GammaMSP", code=2).stderr
    )
    assert not other.home.exists()


def captured(shell: Shell, tmp_path: Path, number: int) -> bool:
    """Whether an event is taken, or was before: both organisations' peers endorse."""
    file = tmp_path / f"{number}.jsonld"
    file.write_text(json.dumps(document(event(number))))
    answer = shell.answer("capture", "-o", "AlphaMSP", str(file))
    return bool(answer["accepted"] + answer["duplicate"] == 1)


def test_an_instance_keeps_its_history_over_an_upgrade_and_a_restart_of_the_network(
    instance: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonld"
    file.write_text(json.dumps(document(event(1), event(2))))
    assert instance.answer("capture", "-o", "AlphaMSP", str(file))["accepted"] == 2
    before = instance.answer("thing", event(1)["epcList"][0])
    assert instance.answer("network", "upgrade") == {"chaincode": "lotline", "version": "2.0", "sequence": 2}
    assert "1.0 has been" in instance.run("network", "upgrade", "--version", "1.0", code=1).stderr
    instance.run("network", "down")
    assert not any(states(instance).values())
    instance.run("network", "up")
    servers = {name for name in states(instance) if name.startswith("chaincode.")}
    assert servers == {"chaincode.lotline_2.0.peer0.alpha.local", "chaincode.lotline_2.0.peer0.beta.local"}
    file.write_text(json.dumps(document(event(2), event(3))))
    again = instance.answer("capture", "-o", "AlphaMSP", str(file))
    assert (again["accepted"], again["duplicate"]) == (1, 1)
    assert instance.answer("thing", event(1)["epcList"][0]) == before
    assert instance.answer("rebuild")["equal"] is True


@pytest.mark.parametrize("source", ["peer0.alpha.local", pytest.param("", marks=pytest.mark.faults)])
def test_a_peer_whose_ledger_is_lost_joins_again(instance: Shell, tmp_path: Path, source: str) -> None:
    """An organisation's only peer, which alone knew what it had approved, by a snapshot or from the first block on."""
    peer = "peer0.beta.local"
    ledger = instance.home / "network" / "nodes" / peer / "production" / "ledgersData"
    made = ledger.stat()
    assert captured(instance, tmp_path, 4)
    found = instance.answer("network", "rejoin", peer, *(("--snapshot-of", source) if source else ()))
    assert found == {"peer": peer, "snapshotOf": source or None}
    assert ledger.stat().st_ctime != made.st_ctime
    assert captured(instance, tmp_path, 5)
    if source:
        assert "joined by a snapshot" in instance.run("network", "rebuild", peer, code=3).stderr
        assert states(instance)[peer]


def test_a_peers_databases_are_made_again(instance: Shell, tmp_path: Path) -> None:
    peer = "peer0.alpha.local"
    state = instance.home / "network" / "nodes" / peer / "production" / "ledgersData" / "stateLeveldb"
    made = state.stat()
    assert instance.answer("network", "rebuild", peer) == {"peer": peer}
    assert state.stat().st_ctime != made.st_ctime
    assert captured(instance, tmp_path, 6)


def test_recovery_refuses_what_cannot_be(shell: Shell) -> None:
    assert "There are: peer0.alpha" in shell.run("network", "rejoin", "orderer1.orderer.local", code=2).stderr
    own = shell.run("network", "rejoin", "peer0.beta.local", "--snapshot-of", "peer0.beta.local", code=2)
    assert "its own ledger" in own.stderr
    shell.run("network", "stop", "peer0.alpha.local")
    lonely = shell.run("network", "rejoin", "peer0.beta.local", code=3)
    assert "no other peer runs" in lonely.stderr
    assert (shell.home / "network" / "nodes" / "peer0.beta.local" / "production").exists()
    shell.run("network", "start", "peer0.alpha.local")


def test_an_organisation_with_an_instance_of_its_own(shell: Shell, tmp_path: Path) -> None:
    beta = Shell(tmp_path / "beta")
    beta.run("init", "--ledger", "fabric", "--network", str(shell.home), "-o", "BetaMSP=Beta", "--port", "8790")
    file = tmp_path / "events.jsonld"
    dock = {"id": "https://id.gs1.org/414/9506000111117"}
    file.write_text(json.dumps(document(event(77, readPoint=dock, bizLocation=dock))))
    assert beta.answer("capture", str(file))["accepted"] == 1
    assert beta.answer("status")["organisations"] == ["BetaMSP"]


def test_identities_of_the_networks_authorities(shell: Shell) -> None:
    """With role, attributes and the kind of key that was asked for; a second call names the first one's folder."""
    words = ["network", "issue", "-o", "AlphaMSP", "dock-3", "--role", "scanner", "--key", "ed25519"]
    found = shell.answer(*words, "-a", "gln=9506000111114", "-a", "dock=3")
    dock = msp_identity(Path(found["msp"]), "AlphaMSP", found["name"])
    assert {"role": "scanner", "gln": "9506000111114", "dock": "3"}.items() <= dock.attributes.items()
    assert isinstance(dock.key, ed25519.Ed25519PrivateKey)
    assert dock.key.public_key() == x509.load_pem_x509_certificate(dock.certificate).public_key()
    assert shell.answer(*words) == found
    for wrong, says in (
        (["-o", "GammaMSP", "x"], "no organisation GammaMSP"),
        (["-o", "AlphaMSP", "../x"], "can't be a name"),
        (["-o", "AlphaMSP", "x", "-a", "pgln=https://id.gs1.org/417/9506000111114"], "no colon"),
    ):
        assert says in shell.run("network", "issue", "--role", "admin", *wrong, code=2).stderr


def test_a_package_for_another_network(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "lotline.tar.gz"
    first = shell.answer("chaincode", "package", "--address", "chaincode.example.org:7052", "--out", str(out))
    again = shell.answer("chaincode", "package", "--address", "chaincode.example.org:7052", "--out", str(out))
    assert first == again
    assert first["packageId"].startswith("lotline_1.0:")
    peer = subprocess.run(
        [str(binaries() / "peer"), "lifecycle", "chaincode", "calculatepackageid", str(out)],
        env={"FABRIC_CFG_PATH": str(shell.home / "network" / "nodes" / "peer0.alpha.local")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert peer.stdout.strip() == first["packageId"]
    assert "HOST:PORT" in shell.run("chaincode", "package", "--address", "nowhere", code=2).stderr


def binaries() -> Path:
    """Fabric's own tools."""
    from network.binaries import ensure

    return ensure()
