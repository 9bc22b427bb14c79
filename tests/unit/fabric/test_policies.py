"""Whose signatures are enough: signature policies told by hand, and those of a channel's configuration."""

from __future__ import annotations

from itertools import combinations

import pytest
from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2

from chaincode.endorsement import all_of
from fabric.words.channel import ChannelConfig
from fabric.words.membership import Member, Membership
from fabric.words.policies import signature_policy
from tests.unit.fabric.forge import Authority, Forge

FARM, SHOP, TRUCK = (Authority(f"{name}MSP") for name in ("Farm", "Shop", "Truck"))
MEMBERS = Membership({one.msp_id: [one.root] for one in (FARM, SHOP, TRUCK)})
Role = msp_principal_pb2.MSPRole


def signers(*who: tuple[Authority, str, str]) -> dict[bytes, Member]:
    """So many identities: organisation, name, unit."""
    creators = [authority.issue(name, unit).creator for authority, name, unit in who]
    return {creator: MEMBERS.member(creator) for creator in creators}


def role(msp_id: str, kind: int) -> msp_principal_pb2.MSPPrincipal:
    content = Role(msp_identifier=msp_id, role=kind).SerializeToString()
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.ROLE, principal=content
    )


def by(number: int) -> policies_pb2.SignaturePolicy:
    return policies_pb2.SignaturePolicy(signed_by=number)


def out_of(count: int, *rules: policies_pb2.SignaturePolicy) -> policies_pb2.SignaturePolicy:
    return policies_pb2.SignaturePolicy(n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=count, rules=rules))


def policy(rule: policies_pb2.SignaturePolicy, *named: msp_principal_pb2.MSPPrincipal) -> bytes:
    return bytes(policies_pb2.SignaturePolicyEnvelope(rule=rule, identities=named).SerializeToString())


def test_all_of_asks_for_a_peer_of_each() -> None:
    wanted = signature_policy(all_of(["ShopMSP", "FarmMSP", "ShopMSP"]))
    assert str(wanted) == "2 of (FarmMSP.peer, ShopMSP.peer)"
    farm, shop, truck = ((one, "peer0", "peer") for one in (FARM, SHOP, TRUCK))
    assert wanted.met_by(signers(farm, shop, truck))
    assert not wanted.met_by(signers(farm, truck))
    assert not wanted.met_by(signers(farm, (SHOP, "clerk", "client")))


def test_all_of_nobody_would_be_met_by_anybody() -> None:
    with pytest.raises(ValueError, match="at least one"):
        all_of([])


def test_nobody_stands_for_two() -> None:
    two = policy(out_of(2, by(0), by(0)), role("FarmMSP", Role.MEMBER))
    assert not signature_policy(two).met_by(signers((FARM, "peer0", "peer")))
    assert signature_policy(two).met_by(signers((FARM, "peer0", "peer"), (FARM, "peer1", "peer")))


def test_who_was_counted_for_a_part_that_failed_is_free_again() -> None:
    either = out_of(1, out_of(2, by(0), by(1)), by(0))
    wanted = signature_policy(policy(either, role("FarmMSP", Role.PEER), role("ShopMSP", Role.PEER)))
    assert wanted.met_by(signers((FARM, "peer0", "peer")))
    assert not wanted.met_by(signers((SHOP, "peer0", "peer")))


@pytest.mark.parametrize(
    ("kind", "units"),
    [
        (Role.MEMBER, {"peer", "client", "admin", "orderer"}),
        (Role.ADMIN, {"admin"}),
        (Role.CLIENT, {"client"}),
        (Role.PEER, {"peer"}),
        (Role.ORDERER, {"orderer"}),
    ],
)
def test_roles(kind: int, units: set[str]) -> None:
    wanted = signature_policy(policy(by(0), role("FarmMSP", kind)))
    met = {unit for unit in ("peer", "client", "admin", "orderer") if wanted.met_by(signers((FARM, "x", unit)))}
    assert met == units


def test_one_identity_and_nobody_else() -> None:
    known = signers((FARM, "peer0", "peer"))
    exact = msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.IDENTITY, principal=next(iter(known))
    )
    wanted = signature_policy(policy(by(0), exact))
    assert wanted.met_by(known)
    assert not wanted.met_by(signers((FARM, "peer0", "peer")))  # another certificate of the same name


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xff", policy(by(0)), policy(by(-1), role("FarmMSP", Role.PEER)), policy(out_of(1, by(7)))]
)
def test_what_is_no_policy_is_met_by_nobody(raw: bytes) -> None:
    assert not signature_policy(raw).met_by(signers((FARM, "peer0", "peer")))


def test_the_majority_of_a_channel() -> None:
    forge = Forge()
    members = Membership({one.msp_id: [one.root] for one in (forge.farm, forge.shop, forge.truck)})
    peers = {peer.creator: members.member(peer.creator) for peer in forge.peers}
    config = ChannelConfig.from_block(forge.blocks[0])
    wanted = config.policy("/Channel/Application/Endorsement")
    assert str(wanted) == "2 of 3 organisations"
    for count in range(4):
        for some in combinations(peers, count):
            assert wanted.met_by({one: peers[one] for one in some}) == (count >= 2)
    for missing in ("/Channel/Application/Nothing", "/Channel/Nothing/Endorsement", "Endorsement", ""):
        assert not config.policy(missing).met_by(peers)
