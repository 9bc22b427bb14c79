"""Who belongs to a channel, read from its configuration block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from google.protobuf.message import DecodeError

from fabric.words.identity import serialise_identity
from fabric.words.policies import NoPolicy, Policy, channel_policy
from fabric.words.transaction import open_envelope

_BFT, _SOLO = "BFT", "solo"
Authorities = Mapping[str, tuple[bytes, ...]]
"""MSP -> certificates (PEM) of its authorities, roots and intermediates."""


@dataclass(frozen=True)
class ChannelConfig:
    """A channel's name, and the authorities of those who use it and of those who order its blocks."""

    channel: str
    applications: Authorities
    orderers: Authorities
    consenters: Mapping[int, bytes]
    """BFT: the serialised identity of each orderer by its number. Empty on other channels."""
    consensus: str = ""
    """How blocks are ordered: etcdraft, BFT, or solo for an orderer that is alone."""
    group: configtx_pb2.ConfigGroup = field(default_factory=configtx_pb2.ConfigGroup, repr=False, compare=False)
    """The whole configuration."""

    def policy(self, path: str) -> Policy:
        """A policy by its path (``/Channel/Application/Endorsement``); one that nothing meets if there is none."""
        return channel_policy(self.group, path)

    def organisation_policy(self, msp_id: str) -> Policy:
        """What stands for an organisation alone: its own policy for endorsements."""
        for name, group in self.group.groups["Application"].groups.items():
            if _msp_of(group).name == msp_id:
                return self.policy(f"/Channel/Application/{name}/Endorsement")
        return NoPolicy()

    @property
    def has_lifecycle(self) -> bool:
        """Whether chaincodes are defined on the channel before they are called. One that a single process orders, as an
        embedded ledger is, runs what it was started with."""
        return self.consensus != _SOLO

    @property
    def quorum(self) -> int:
        """How many orderers must sign a block: one, or so many that BFT's tolerated faults can't outvote the others."""
        count = len(self.consenters)
        faulty = (count - 1) // 3
        return (count + faulty + 2) // 2 if count else 1

    @classmethod
    def from_block(cls, block: common_pb2.Block) -> ChannelConfig:
        """Read a block of type CONFIG. Raises ValueError for any other."""
        payload, header = open_envelope(common_pb2.Envelope.FromString(block.data.data[0]))
        if header.type != common_pb2.CONFIG:
            raise ValueError(f"block {block.header.number} is not a configuration block")
        group = configtx_pb2.ConfigEnvelope.FromString(payload.data).config.channel_group
        orderer = group.groups["Orderer"]
        return cls(
            header.channel_id,
            _authorities(group.groups["Application"]),
            _authorities(orderer),
            _consenters(orderer),
            _consensus(orderer),
            group,
        )


def is_config(block: common_pb2.Block) -> bool:
    """Whether a block holds a configuration: such a block holds nothing else. Bytes that can't be read are none."""
    if len(block.data.data) != 1:
        return False
    try:
        _, header = open_envelope(common_pb2.Envelope.FromString(block.data.data[0]))
        return bool(header.type == common_pb2.CONFIG)
    except DecodeError:
        return False


def _authorities(group: configtx_pb2.ConfigGroup) -> Authorities:
    found = {}
    for organisation in group.groups.values():  # its name in the configuration need not be that of its MSP
        msp = _msp_of(organisation)
        found[msp.name] = (*msp.root_certs, *msp.intermediate_certs)
    return found


def _msp_of(organisation: configtx_pb2.ConfigGroup) -> msp_config_pb2.FabricMSPConfig:
    wrapped = msp_config_pb2.MSPConfig.FromString(organisation.values["MSP"].value)
    return msp_config_pb2.FabricMSPConfig.FromString(wrapped.config)


def _consensus(group: configtx_pb2.ConfigGroup) -> str:
    return str(orderer_pb2.ConsensusType.FromString(group.values["ConsensusType"].value).type)


def _consenters(group: configtx_pb2.ConfigGroup) -> dict[int, bytes]:
    if _consensus(group) != _BFT:
        return {}
    return {
        consenter.id: serialise_identity(consenter.msp_id, consenter.identity)
        for consenter in configuration_pb2.Orderers.FromString(group.values["Orderers"].value).consenter_mapping
    }
