"""Certificates of a real network are renewed under way: keys stay, nodes come back, an instance does not notice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from instance.identities import Identities
from instance.ledgers import open_ledger
from instance.settings import ROLES, OrganisationConfig, Settings
from lotline.joining import join_network
from lotline.renewing import take_renewed
from network.renewal import Certified, Renewed, certified
from network.topology import Blocks, build
from tests.conftest import free_base_port
from tests.fabric.playground import NOTEBOOK, Playground

pytestmark = pytest.mark.fabric
SOON_IS_ALL = timedelta(days=20 * 365)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """A network of its own: one organisation, three orderers, of whom Raft needs two."""
    topology = build({"farm": 1}, orderers=3, base_port=free_base_port(), blocks=Blocks(timeout="50ms"))
    made = Playground(tmp_path_factory.mktemp("renewal"), topology)
    try:
        made.network.up()
        yield made
    finally:
        made.network.down()


def kept(place: Playground) -> dict[Path, Certified]:
    return {one.certificate: one for one in certified(place.network.topology, place.network.layout)}


@pytest.fixture
def settings(place: Playground, tmp_path: Path) -> Settings:
    """An instance of the network's organisation."""
    member = OrganisationConfig(msp_id="FarmMSP", name="Farm")
    return Settings(home=tmp_path, ledger=join_network(tmp_path, place.network, [member]))


async def test_everything_is_renewed_and_goes_on(place: Playground, settings: Settings) -> None:
    network, name = place.network, await asyncio.to_thread(place.fresh, "notebook", NOTEBOOK)
    settings = settings.model_copy(update={"ledger": settings.ledger.model_copy(update={"chaincode": name})})
    ledger, identities = await open_ledger(settings), Identities(settings)
    first = identities.get("FarmMSP", "scanner")
    await ledger.submit("put", [b"a", b"1"], identity=first)
    before = {file: one.read for file, one in kept(place).items()}
    assert {"registrar", "admin", "peer0", "chaincode", "scanner", "orderer1"} <= {
        one.name for one in kept(place).values()
    }
    assert await asyncio.to_thread(network.renew) == Renewed()

    network.issue("FarmMSP", "fired", "scanner")
    await asyncio.to_thread(network.revoke, "FarmMSP", "fired")
    renewed = await asyncio.to_thread(network.renew, SOON_IS_ALL)
    assert set(renewed.failed) == {"fired of FarmMSP"}  # and it keeps nobody from being renewed

    for file, one in kept(place).items():
        if one.name == "fired":
            continue
        now = one.read
        assert now.serial_number != before[file].serial_number, file
        assert now.public_key() == before[file].public_key(), file
        assert set(now.subject) == set(before[file].subject), file
        for extension in before[file].extensions:
            if extension.oid.dotted_string in (
                "2.5.29.17",
                "1.2.3.4.5.6.7.8.1",
            ):  # hosts; what Fabric CA says of somebody
                assert extension in now.extensions, (file, extension)
    assert len(take_renewed(settings, network)) == len(ROLES)
    assert take_renewed(settings, network) == []
    again = identities.get("FarmMSP", "scanner")
    assert again.certificate != first.certificate
    assert all(one.running for one in network.status())
    await ledger.submit("put", [b"a", b"2"], identity=again)
    assert await ledger.evaluate("get", [b"a"], identity=again) == b'["2"]'
    assert await ledger.height() > 1
    await ledger.close()
    # whoever is new is registered by a registrar whose certificate is new too
    assert network.issue("FarmMSP", "newcomer", "scanner").exists()
    assert await asyncio.to_thread(network.renew) == Renewed()
