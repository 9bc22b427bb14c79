"""Nobody but its owner reads a network, and the documented way to join one works as written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from instance.settings import ROLES
from tests.fabric.playground import LOTLINE, Playground
from tests.integration.instance.test_homes import open_to_others
from tests.integration.lotline.run import answer, lotline

pytestmark = pytest.mark.fabric


def test_nobody_else_may_read_anything_of_a_network(playground: Playground) -> None:
    assert open_to_others(playground.network.layout.home) == []


def test_the_registrars_password_is_in_no_configuration(playground: Playground) -> None:
    layout = playground.network.layout
    for organisation in playground.network.topology.organisations:
        password = (layout.organisation(organisation) / "secrets" / "registrar").read_text()
        holding = [path for path in layout.authority(organisation).rglob("*") if path.is_file()]
        assert holding
        assert [path for path in holding if password.encode() in path.read_bytes()] == []


def test_an_authority_starts_again_without_the_password(playground: Playground) -> None:
    network = playground.network
    farm = network.topology.organisations[0]
    name = network.authorities.process(farm)
    network.stop(name)
    network.authorities.start()
    assert (network.issue(farm.msp_id, "after-restart", "scanner") / "signcerts" / "cert.pem").exists()


def test_the_documented_way_to_join(playground: Playground, tmp_path: Path) -> None:
    network = playground.network
    chaincode = playground.fresh("lotline", LOTLINE)
    farm = network.topology.organisations[0]
    given = tmp_path / "given"
    given.mkdir()
    for role in ROLES:
        shutil.copytree(network.issue(farm.msp_id, role, role), given / "msp" / role)
    connection = json.loads(network.layout.connection(farm).read_text())
    connection["chaincode"] = chaincode
    for number, peer in enumerate(connection["peers"]):
        (given / f"tls-ca-{number}.pem").write_text(peer.pop("tlsCaPem"))
        peer["tlsCaFile"] = f"tls-ca-{number}.pem"
    (given / "connection.json").write_text(json.dumps(connection))
    home = tmp_path / "home"
    lotline(
        home, "init", "--ledger", "fabric",
        "--connection", str(given / "connection.json"), "--identities", str(given / "msp"),
    )  # fmt: skip
    shutil.rmtree(given)
    assert open_to_others(home) == []
    assert answer(home, "party", "list") == []
