"""The first block: a channel configuration that names every organisation, its root certificate and the policies."""

from __future__ import annotations

from collections.abc import Mapping

from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from google.protobuf import timestamp_pb2
from google.protobuf.message import Message

from fabric.words.policy_messages import Role, any_of

ORDERER_MSP = "OrdererMSP"
_UNITS = ("client", "peer", "admin", "orderer")
_ADMINS = "Admins"
_BYTES = 100 * 1024 * 1024
_Meta = policies_pb2.ImplicitMetaPolicy


def config_envelope(channel: str, roots: Mapping[str, bytes], orderer_root: bytes, seconds: int) -> bytes:
    """The envelope of the configuration. ``roots``: the root certificate (PEM) of each organisation's MSP."""
    group = configtx_pb2.ConfigGroup(mod_policy=_ADMINS)
    _value(group, "HashingAlgorithm", configuration_pb2.HashingAlgorithm(name="SHA256"))
    _value(group, "BlockDataHashingStructure", configuration_pb2.BlockDataHashingStructure(width=2**32 - 1))
    _value(group, "Capabilities", _capabilities("V3_0"))
    _implicit_policies(group)
    group.groups["Application"].CopyFrom(_application(roots))
    group.groups["Orderer"].CopyFrom(_orderer(orderer_root))
    config = configtx_pb2.ConfigEnvelope(config=configtx_pb2.Config(channel_group=group))
    header = common_pb2.ChannelHeader(
        type=common_pb2.CONFIG, channel_id=channel, timestamp=timestamp_pb2.Timestamp(seconds=seconds)
    )
    payload = common_pb2.Payload(
        header=common_pb2.Header(channel_header=header.SerializeToString(deterministic=True)),
        data=config.SerializeToString(deterministic=True),
    )
    return bytes(common_pb2.Envelope(payload=payload.SerializeToString(deterministic=True)).SerializeToString())


def _application(roots: Mapping[str, bytes]) -> configtx_pb2.ConfigGroup:
    group = configtx_pb2.ConfigGroup(mod_policy=_ADMINS)
    _value(group, "Capabilities", _capabilities("V2_5"))
    _implicit_policies(group)
    for name in ("Endorsement", "LifecycleEndorsement"):
        _policy(group, name, _implicit("Endorsement", _Meta.MAJORITY))
    for msp_id, root in roots.items():
        group.groups[msp_id].CopyFrom(_organisation(msp_id, root))
    return group


def _orderer(root: bytes) -> configtx_pb2.ConfigGroup:
    group = configtx_pb2.ConfigGroup(mod_policy=_ADMINS)
    _value(group, "Capabilities", _capabilities("V2_0"))
    _value(group, "ConsensusType", orderer_pb2.ConsensusType(type="solo"))
    # one transaction a block, as large as it comes; a peer refuses a configuration that doesn't say
    sizes = orderer_pb2.BatchSize(max_message_count=1, absolute_max_bytes=_BYTES, preferred_max_bytes=_BYTES)
    _value(group, "BatchSize", sizes)
    _value(group, "BatchTimeout", orderer_pb2.BatchTimeout(timeout="1s"))
    _implicit_policies(group)
    _policy(group, "BlockValidation", _implicit("Writers", _Meta.ANY))
    group.groups[ORDERER_MSP].CopyFrom(_organisation(ORDERER_MSP, root))
    return group


def _organisation(msp_id: str, root: bytes) -> configtx_pb2.ConfigGroup:
    group = configtx_pb2.ConfigGroup(mod_policy=_ADMINS)
    units = {f"{unit}_ou_identifier": _unit(unit, root) for unit in _UNITS}
    msp = msp_config_pb2.FabricMSPConfig(
        name=msp_id,
        root_certs=[root],
        crypto_config=msp_config_pb2.FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
        fabric_node_ous=msp_config_pb2.FabricNodeOUs(enable=True, **units),
    )
    _value(group, "MSP", msp_config_pb2.MSPConfig(config=msp.SerializeToString(deterministic=True)))
    _policy(group, "Readers", _signature(msp_id, Role.MEMBER))
    _policy(group, "Writers", _signature(msp_id, Role.MEMBER))
    _policy(group, "Admins", _signature(msp_id, Role.ADMIN))
    _policy(group, "Endorsement", _signature(msp_id, Role.PEER))
    return group


def _unit(name: str, root: bytes) -> msp_config_pb2.FabricOUIdentifier:
    return msp_config_pb2.FabricOUIdentifier(certificate=root, organizational_unit_identifier=name)


def _capabilities(*names: str) -> configuration_pb2.Capabilities:
    return configuration_pb2.Capabilities(capabilities={name: configuration_pb2.Capability() for name in names})


def _value(group: configtx_pb2.ConfigGroup, name: str, message: Message) -> None:
    value = configtx_pb2.ConfigValue(value=message.SerializeToString(deterministic=True), mod_policy=_ADMINS)
    group.values[name].CopyFrom(value)


def _policy(group: configtx_pb2.ConfigGroup, name: str, policy: policies_pb2.Policy) -> None:
    group.policies[name].CopyFrom(configtx_pb2.ConfigPolicy(policy=policy, mod_policy=_ADMINS))


def _implicit(sub_policy: str, rule: policies_pb2.ImplicitMetaPolicy.Rule) -> policies_pb2.Policy:
    meta = _Meta(sub_policy=sub_policy, rule=rule)
    return policies_pb2.Policy(type=policies_pb2.Policy.IMPLICIT_META, value=meta.SerializeToString())


def _implicit_policies(group: configtx_pb2.ConfigGroup) -> None:
    _policy(group, "Readers", _implicit("Readers", _Meta.ANY))
    _policy(group, "Writers", _implicit("Writers", _Meta.ANY))
    _policy(group, "Admins", _implicit("Admins", _Meta.MAJORITY))


def _signature(msp_id: str, role: int) -> policies_pb2.Policy:
    envelope = any_of([(1, [msp_id])], role)
    return policies_pb2.Policy(type=policies_pb2.Policy.SIGNATURE, value=envelope.SerializeToString(deterministic=True))
