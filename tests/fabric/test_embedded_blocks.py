"""What the embedded ledger writes, before Fabric's own eyes: a peer joins its channel, is given its blocks as an orderer hands them
out, and must find every transaction valid and every commit hash the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.orderer import ab_pb2, ab_pb2_grpc
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    policy_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from fabric_protos.peer.lifecycle import chaincode_definition_pb2, db_pb2

import network.binaries
from fabric.verify import verify_chain
from fabric.words import chain
from fabric.words.identity import Identity
from fabric.words.proposal import Proposal
from fabric.words.transaction import sealed
from ledger import ca
from ledger.embedded import adapter
from ledger.embedded.adapter import FILE, EmbeddedLedger
from ledger.embedded.commit import Committer
from ledger.embedded.genesis import ORDERER_MSP, config_envelope
from ledger.embedded.simulation import SimulationStub
from ledger.embedded.store import Store
from network.layout import Layout
from network.nodes import peer_config
from network.processes import Processes
from network.tools import ToolError, run
from network.topology import build
from network.waiting import port_open, until
from tests.conftest import free_base_port
from tests.integration.ledger.notebook import Notebook

pytestmark = pytest.mark.fabric
ORGANISATIONS = ("FarmMSP", "ShopMSP")


@pytest.fixture
def binaries() -> Path:
    found = network.binaries.find()
    if found is None:
        pytest.skip("Fabric's binaries are not built: lotline network build")
    return found


async def test_a_peer_takes_the_blocks_of_an_embedded_ledger(
    tmp_path: Path, binaries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = free_base_port()
    blocks = await _history(tmp_path / "ledger", f"127.0.0.1:{base}", monkeypatch)
    assert verify_chain(blocks) == []
    theirs = await asyncio.to_thread(_committed, tmp_path, binaries, base, blocks)
    for ours, seen in zip(blocks[1:], theirs, strict=True):
        for part in (chain.TRANSACTIONS_FILTER, chain.COMMIT_HASH):
            assert seen.metadata.metadata[part] == ours.metadata.metadata[part], f"block {ours.header.number}"


async def test_a_peer_and_the_verifier_agree_on_what_is_crooked(
    tmp_path: Path, binaries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a peer finds invalid, the verifier does too; what a peer does not look at again when it commits is a finding."""
    base = free_base_port()
    blocks = await _history(tmp_path / "ledger", f"127.0.0.1:{base}", monkeypatch)
    homes = tmp_path / "ledger" / "organisations"
    blocks.append(_crooked(homes, blocks[-1], [how for how, _ in CROOKED]))
    seen = (await asyncio.to_thread(_committed, tmp_path, binaries, base, blocks))[-1]
    codes = seen.metadata.metadata[chain.TRANSACTIONS_FILTER]
    assert [code == transaction_pb2.VALID for code in codes] == [rule is not None for _, rule in CROOKED], list(codes)
    found = {finding.transaction: finding.rule for finding in verify_chain([*blocks[:-1], seen])}
    assert found == {index: rule for index, (_, rule) in enumerate(CROOKED) if rule}


CROOKED: list[tuple[dict[str, Any], str | None]] = [
    ({"answered_by": "elsewhere"}, None),
    ({"event_of": "elsewhere"}, None),
    ({"version": ""}, None),
    ({"space": "elsewhere"}, None),
    ({"times": 2}, None),
    ({"epoch": 1}, None),
    ({"version": "2.0"}, "version"),
    ({"status": 500}, "response"),
    ({"called": "elsewhere"}, "chaincode"),
    ({"channel": "elsewhere"}, None),
]
"""How a transaction is crooked; the rule that tells, where a peer takes it for valid."""


def _crooked(homes: Path, last: common_pb2.Block, ways: Sequence[Mapping[str, Any]]) -> common_pb2.Block:
    """A block of transactions that members of the channel made and endorsed as they should not."""
    peers = [ca.load_identity(homes / msp_id, "peer0") for msp_id in ORGANISATIONS]
    farmer = ca.load_identity(homes / "FarmMSP", "farmer")
    envelopes = [_made(index, peers, farmer, **how) for index, how in enumerate(ways)]
    header = last.header
    previous = chain.header_hash(header.number, header.previous_hash, header.data_hash)
    orderer = ca.load_identity(homes / ORDERER_MSP, "orderer0")
    return chain.assemble(header.number + 1, previous, envelopes, orderer, b"n" * 24)


def _made(
    index: int,
    peers: Sequence[Identity],
    who: Identity,
    *,
    answered_by: str = "lotline",
    called: str = "lotline",
    channel: str = "lotline",
    version: str = "1.0",
    space: str = "lotline",
    times: int = 1,
    status: int = 200,
    event_of: str | None = None,
    epoch: int = 0,
) -> bytes:
    nonce = bytes([index]) * 24
    args = "lotline", [b"put"], who.creator, nonce, datetime.now(UTC)
    proposal = Proposal.create(channel, *args)
    header = common_pb2.ChannelHeader.FromString(proposal.channel_header)
    header.epoch = epoch
    payload = Proposal.create(channel, called, *args[1:]).payload
    proposal = replace(proposal, channel_header=header.SerializeToString(deterministic=True), payload=payload)
    writes = kv_rwset_pb2.KVRWSet(writes=[kv_rwset_pb2.KVWrite(key=f"crooked {index}", value=b"1")])
    sets = [rwset_pb2.NsReadWriteSet(namespace=space, rwset=writes.SerializeToString())] * times
    action = proposal_pb2.ChaincodeAction(
        results=rwset_pb2.TxReadWriteSet(ns_rwset=sets).SerializeToString(),
        response=proposal_response_pb2.Response(status=status),
        chaincode_id=chaincode_pb2.ChaincodeID(name=answered_by, version=version),
    )
    if event_of is not None:
        action.events = chaincode_event_pb2.ChaincodeEvent(chaincode_id=event_of).SerializeToString()
    return sealed(proposal, action, peers, who)


def _committed(folder: Path, binaries: Path, base: int, blocks: list[common_pb2.Block]) -> list[common_pb2.Block]:
    """All blocks but the first, as a peer has them that was given them."""
    processes, server = Processes(folder / "peer"), _orderer(blocks, base)
    try:
        peer = _start_peer(folder, binaries, processes, base)
        (folder / "genesis.block").write_bytes(blocks[0].SerializeToString())
        peer("join", "-b", str(folder / "genesis.block"))
        _catch_up(peer, len(blocks), partial(processes.check, "peer"))
        return [_fetched(peer, number, folder / f"{number}.block") for number in range(1, len(blocks))]
    finally:
        server.stop(None)
        processes.stop("peer")


def _fetched(peer: Callable[..., str], number: int, file: Path) -> common_pb2.Block:
    peer("fetch", str(number), str(file), "-c", "lotline")
    return common_pb2.Block.FromString(file.read_bytes())


def test_fabrics_tools_read_its_configuration(tmp_path: Path, binaries: Path) -> None:
    blocks = asyncio.run(_plain(tmp_path / "ledger"))
    for number, block in enumerate(blocks):
        (tmp_path / f"{number}.block").write_bytes(block.SerializeToString())
        command = [
            "configtxlator",
            "proto_decode",
            "--type",
            "common.Block",
            "--input",
            str(tmp_path / f"{number}.block"),
        ]
        said = json.loads(run(binaries, command))
        assert int(said["header"].get("number") or 0) == number
    inspected = json.loads(
        run(binaries, ["configtxgen", "-inspectBlock", str(tmp_path / "0.block")], {"FABRIC_CFG_PATH": str(tmp_path)})
    )
    group = inspected["data"]["data"][0]["payload"]["data"]["config"]["channel_group"]["groups"]
    assert set(group["Application"]["groups"]) == set(ORGANISATIONS)
    assert group["Orderer"]["values"]["BatchSize"]["value"]["max_message_count"] == 1


async def _plain(folder: Path) -> list[common_pb2.Block]:
    ledger = await EmbeddedLedger.create(folder, ORGANISATIONS, contract=Notebook())
    await _use(folder, ledger)
    return await _all(ledger)


async def _history(folder: Path, orderer: str, monkeypatch: pytest.MonkeyPatch) -> list[common_pb2.Block]:
    """A ledger whose configuration says where its orderer is, and whose first transaction defines the contract: what an embedded
    ledger does without, and a peer does not."""
    monkeypatch.setattr(adapter, "config_envelope", lambda *args: _with_endpoint(config_envelope(*args), orderer))
    await (await EmbeddedLedger.create(folder, ORGANISATIONS)).close()
    _define(folder)
    ledger = await EmbeddedLedger.open(folder, contract=Notebook())
    await _use(folder, ledger)
    return await _all(ledger)


async def _all(ledger: EmbeddedLedger) -> list[common_pb2.Block]:
    blocks = [await ledger.block(number) for number in range(await ledger.height())]
    await ledger.close()
    return blocks


async def _use(folder: Path, ledger: EmbeddedLedger) -> None:
    """Calls that write, read again, list, delete, and set policies of single keys."""
    farmer = ca.issue(folder / "organisations" / "FarmMSP", "farmer", "admin")
    calls: list[tuple[str, list[bytes]]] = [
        ("put", [b"apples", b"1"]),
        ("append", [b"apples", b"2"]),
        ("file", [b"Fruits", b"apples", b"1"]),
        ("file", [b"Fruits", b"pears", b"1"]),
        ("list", [b"Fruits"]),
        ("demand", [b"apples", b"FarmMSP", b"ShopMSP"]),
        ("append", [b"apples", b"3"]),
        ("put", ["Bl\u00fcten \U0001f34e".encode(), b"1"]),
        ("delete", [b"apples"]),
    ]
    for function, words in calls:
        await ledger.submit(function, words, identity=farmer)


def _with_endpoint(envelope: bytes, address: str) -> bytes:
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    config = configtx_pb2.ConfigEnvelope.FromString(payload.data)
    orderer = config.config.channel_group.groups["Orderer"]
    # what orders alone is known to no peer any more: it would not ask for blocks
    orderer.values["ConsensusType"].value = orderer_pb2.ConsensusType(type="etcdraft").SerializeToString()
    organisation = orderer.groups[ORDERER_MSP]
    organisation.values["Endpoints"].value = configuration_pb2.OrdererAddresses(addresses=[address]).SerializeToString()
    organisation.values["Endpoints"].mod_policy = "Admins"
    payload.data = config.SerializeToString(deterministic=True)
    return bytes(common_pb2.Envelope(payload=payload.SerializeToString(deterministic=True)).SerializeToString())


def _define(folder: Path) -> None:
    """Block 1: the definition of the contract, as ``_lifecycle`` commits it."""
    path = policy_pb2.ApplicationPolicy(channel_config_policy_reference="/Channel/Application/Endorsement")
    parts = {
        "EndorsementInfo": chaincode_definition_pb2.ChaincodeEndorsementInfo(version="1.0", endorsement_plugin="escc"),
        "ValidationInfo": chaincode_definition_pb2.ChaincodeValidationInfo(
            validation_plugin="vscc", validation_parameter=path.SerializeToString()
        ),
    }
    metadata = db_pb2.StateMetadata(datatype="ChaincodeDefinition", fields=["Sequence", *parts, "Collections"])
    homes = folder / "organisations"
    admin = ca.issue(homes / "FarmMSP", "definer", "admin")
    peers = [ca.load_identity(homes / msp_id, "peer0") for msp_id in sorted(ORGANISATIONS)]
    with closing(Store(folder / FILE)) as store:
        committer = Committer(store, "lotline", peers, ca.load_identity(homes / ORDERER_MSP, "orderer0"))
        call = [b"CommitChaincodeDefinition", b"lotline"]
        proposal = Proposal.create("lotline", "_lifecycle", call, admin.creator, b"d" * 24, datetime.now(UTC))
        stub = SimulationStub(store, proposal, "lotline", admin.creator)
        stub.put_state("namespaces/metadata/lotline", metadata.SerializeToString())
        stub.put_state("namespaces/fields/lotline/Sequence", db_pb2.StateData(Int64=1).SerializeToString())
        stub.put_state("namespaces/fields/lotline/Collections", db_pb2.StateData(Bytes=b"").SerializeToString())
        for name, info in parts.items():
            content = db_pb2.StateData(Bytes=info.SerializeToString()).SerializeToString()
            stub.put_state(f"namespaces/fields/lotline/{name}", content)
        committer.commit(proposal, stub, proposal_response_pb2.Response(status=200), admin, "_lifecycle")


class _Orderer(ab_pb2_grpc.AtomicBroadcastServicer):  # type: ignore[misc]
    """Hands out blocks as orderers have them: without what peers write into them."""

    def __init__(self, blocks: list[common_pb2.Block]) -> None:
        self._blocks = []
        for block in blocks:
            bare = common_pb2.Block.FromString(block.SerializeToString())
            for part in (chain.TRANSACTIONS_FILTER, chain.COMMIT_HASH):
                bare.metadata.metadata[part] = b""
            self._blocks.append(bare)

    def Deliver(  # noqa: N802
        self, requests: Iterator[common_pb2.Envelope], context: grpc.ServicerContext
    ) -> Iterator[ab_pb2.DeliverResponse]:
        for request in requests:
            payload = common_pb2.Payload.FromString(request.payload)
            start = ab_pb2.SeekInfo.FromString(payload.data).start.specified.number
            yield from (ab_pb2.DeliverResponse(block=block) for block in self._blocks[start:])


def _orderer(blocks: list[common_pb2.Block], port: int) -> grpc.Server:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    ab_pb2_grpc.add_AtomicBroadcastServicer_to_server(_Orderer(blocks), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


def _start_peer(folder: Path, binaries: Path, processes: Processes, base: int) -> Callable[..., str]:
    """A peer of one of the ledger's organisations, without TLS; returns its administrator's command line."""
    home = folder / "ledger" / "organisations" / "FarmMSP"
    ca.issue(home, "keeper", "admin")
    for name in ("peer0", "keeper"):
        _write_msp(folder / "msp" / name, home, name)
    topology = build({"farm": 1}, base_port=base + 10)
    node, layout = topology.organisations[0].peers[0], Layout(folder / "peer")
    config = peer_config(topology, node, layout)
    config["peer"] |= {"mspConfigPath": str(folder / "msp" / "peer0"), "tls": {"enabled": False}}
    config["operations"]["tls"] = {"enabled": False}
    config["chaincode"]["externalBuilders"][0]["path"] = str(folder)
    (folder / "core.yaml").write_text(json.dumps(config))
    processes.start("peer", [str(binaries / "peer"), "node", "start"], {"FABRIC_CFG_PATH": str(folder)}, folder)
    until(lambda: port_open(node.port), 60.0, "the peer to listen", partial(processes.check, "peer"))
    who = {
        "FABRIC_CFG_PATH": str(folder),
        "CORE_PEER_ADDRESS": f"127.0.0.1:{node.port}",
        "CORE_PEER_MSPCONFIGPATH": str(folder / "msp" / "keeper"),
    }
    return lambda *words: run(binaries, ["peer", "channel", *words], who)


def _write_msp(folder: Path, home: Path, name: str) -> None:
    """Fabric's folder of an identity."""
    for part, file in [
        ("cacerts", "ca.pem"),
        ("signcerts", f"identities/{name}/cert.pem"),
        ("keystore", f"identities/{name}/key.pem"),
    ]:
        (folder / part).mkdir(parents=True)
        (folder / part / Path(file).name).write_bytes((home / file).read_bytes())
    units = {
        f"{unit.capitalize()}OUIdentifier": {"Certificate": "cacerts/ca.pem", "OrganizationalUnitIdentifier": unit}
        for unit in ("client", "peer", "admin", "orderer")
    }
    (folder / "config.yaml").write_text(json.dumps({"NodeOUs": {"Enable": True, **units}}))


def _catch_up(peer: Callable[..., str], height: int, check: Callable[[], None]) -> None:
    def has_all() -> bool:
        try:
            return f'"height":{height}' in peer("getinfo", "-c", "lotline")
        except ToolError:
            return False

    until(has_all, 60.0, f"the peer to have {height} blocks", check)
