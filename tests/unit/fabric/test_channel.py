"""Who belongs to a channel, read from its configuration."""

from __future__ import annotations

import pytest
from fabric_protos.common import common_pb2, configtx_pb2

from fabric.words import chain
from fabric.words.channel import ChannelConfig, is_config
from tests.unit.fabric.forge import Forge, rwset


def test_the_authorities_of_every_organisation() -> None:
    forge = Forge()
    config = ChannelConfig.from_block(forge.blocks[0])
    assert config.channel == "lotline"
    assert config.applications == {
        "FarmMSP": (forge.farm.root,),
        "ShopMSP": (forge.shop.root,),
        "TruckMSP": (forge.truck.root,),
    }
    assert set(config.orderers) == {"OrdererMSP"}


def test_an_organisation_goes_by_the_name_of_its_msp() -> None:
    """The configuration may list it under another."""
    forge = Forge()
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(forge.genesis_envelope).payload)
    config = configtx_pb2.ConfigEnvelope.FromString(payload.data)
    groups = config.config.channel_group.groups["Application"].groups
    groups["The Farm"].CopyFrom(groups["FarmMSP"])
    del groups["FarmMSP"]
    payload.data = config.SerializeToString(deterministic=True)
    envelope = common_pb2.Envelope(payload=payload.SerializeToString(deterministic=True))
    block = chain.assemble(0, b"", [envelope.SerializeToString()], None, b"")
    assert set(ChannelConfig.from_block(block).applications) == {"FarmMSP", "ShopMSP", "TruckMSP"}


def test_a_block_of_transactions_is_no_configuration() -> None:
    forge = Forge()
    block = forge.append([forge.envelope(rwset())])
    assert is_config(forge.blocks[0])
    assert not is_config(block)
    with pytest.raises(ValueError, match="block 1 is not a configuration block"):
        ChannelConfig.from_block(block)


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"\x0a\x02\xff\xff"])
def test_bytes_that_cannot_be_read_are_no_configuration(content: bytes) -> None:
    assert not is_config(common_pb2.Block(data=common_pb2.BlockData(data=[content])))
