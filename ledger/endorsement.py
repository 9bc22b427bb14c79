"""Which endorsement policies a transaction must meet: a key's own, else a collection's owner, else the chaincode's.

Source of the rules: fabric ``core/common/validation/statebased``, ``core/chaincode/lifecycle``.
"""

from __future__ import annotations

from collections.abc import Iterator

from fabric_protos.peer import policy_pb2
from fabric_protos.peer.lifecycle import chaincode_definition_pb2, db_pb2
from google.protobuf.message import DecodeError

from ledger.channel import ChannelConfig
from ledger.policies import NoPolicy, Policy, Signers, signature_policy
from ledger.replay import Effects, Replay

_LIFECYCLE = "_lifecycle"
_DEFAULT = "/Channel/Application/Endorsement"
_LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"
_OWN_COLLECTION = "_implicit_org_"


class EndorsementRules:
    """The policies in force: those of a configuration, and those on the ledger before the current block."""

    def __init__(self, config: ChannelConfig, replay: Replay) -> None:
        self._config = config
        self._replay = replay
        self._known: dict[bytes, Policy] = {}

    def fault(self, chaincode: str, effects: Effects, signers: Signers) -> str | None:
        """What the endorsements of a call of ``chaincode`` lack; None if they are enough."""
        for namespace in sorted({chaincode, *effects.written()}):
            fault = self._fault_in(namespace, effects, signers)
            if fault is not None:
                return fault
        return None

    def _fault_in(self, namespace: str, effects: Effects, signers: Signers) -> str | None:
        checked, others = False, False
        for key in effects.keys(namespace):
            if self._replay.has_new_policy(namespace, key):
                return f"{_readable(key)}: an earlier transaction of the block changed who must endorse its changes"
            policy = self._replay.policy(namespace, key)
            if not policy:
                others = True
            elif not signature_policy(policy).met_by(signers):
                return f"{_readable(key)} is changed by {signature_policy(policy)} only"
            else:
                checked = True
        for owner in self._owners(namespace, effects):
            if owner is None:
                others = True
            elif not any(member.msp_id == owner for member in signers.values()):
                return f"not endorsed by {owner}, whose own collection it writes"
            else:
                checked = True
        policy_of_all = self.chaincode_policy(namespace)
        if (others or not checked) and not policy_of_all.met_by(signers):
            organisations = len({member.msp_id for member in signers.values()})
            return f"endorsed by {organisations} organisations; {namespace} asks for {policy_of_all}"
        return None

    @staticmethod
    def _owners(namespace: str, effects: Effects) -> Iterator[str | None]:
        """Whose private collections are written; None for one that organisations share."""
        for collection in effects.collections(namespace):
            own = collection.startswith(_OWN_COLLECTION)
            yield collection.removeprefix(_OWN_COLLECTION) if own else None

    def chaincode_policy(self, namespace: str) -> Policy:
        """The policy that was committed with a chaincode's definition; the channel's default where there is none, as on
        the embedded ledger."""
        if namespace == _LIFECYCLE:
            return self._config.policy(_LIFECYCLE_POLICY)
        raw = self._replay.value(_LIFECYCLE, f"namespaces/fields/{namespace}/ValidationInfo")
        if raw is None:
            return self._config.policy(_DEFAULT)
        if raw not in self._known:
            self._known[raw] = self._defined(raw)
        return self._known[raw]

    def _defined(self, raw: bytes) -> Policy:
        try:
            data = db_pb2.StateData.FromString(raw)
            info = chaincode_definition_pb2.ChaincodeValidationInfo.FromString(data.Bytes)
            policy = policy_pb2.ApplicationPolicy.FromString(info.validation_parameter)
        except DecodeError:
            return NoPolicy()
        if policy.WhichOneof("Type") == "signature_policy":
            return signature_policy(policy.signature_policy.SerializeToString())
        return self._config.policy(policy.channel_config_policy_reference)


def _readable(key: str) -> str:
    return " ".join(part for part in key.split("\x00") if part)
