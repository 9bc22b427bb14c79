"""What a channel says of its chaincodes: the definitions that were committed by Fabric's lifecycle.

Source of the keys: fabric ``core/chaincode/lifecycle/lifecycle.go``, ``serializer.go``.
"""

from __future__ import annotations

from typing import TypeVar

from fabric_protos.peer import collection_pb2, policy_pb2
from fabric_protos.peer.lifecycle import chaincode_definition_pb2, db_pb2
from google.protobuf.message import DecodeError, Message

from fabric.verify.replay import Replay

LIFECYCLE = "_lifecycle"
"""The namespace of definitions, and the chaincode that writes them."""
Said = TypeVar("Said", bound=Message)


class Definitions:
    """The definitions before the current block."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    def version(self, chaincode: str) -> str | None:
        """The version that is to be called; None if there is no such chaincode, or its definition cannot be read."""
        try:
            info = self._read(chaincode, "EndorsementInfo", chaincode_definition_pb2.ChaincodeEndorsementInfo)
        except DecodeError:
            return None
        return None if info is None else str(info.version)

    def policy(self, chaincode: str) -> policy_pb2.ApplicationPolicy | None:
        """Whose endorsements a call needs; None if there is no such chaincode. Raises DecodeError."""
        info = self._read(chaincode, "ValidationInfo", chaincode_definition_pb2.ChaincodeValidationInfo)
        return None if info is None else policy_pb2.ApplicationPolicy.FromString(info.validation_parameter)

    def collection_policy(self, chaincode: str, collection: str) -> policy_pb2.ApplicationPolicy | None:
        """The endorsement policy of a collection, None if it has none. Raises DecodeError."""
        package = self._read(chaincode, "Collections", collection_pb2.CollectionConfigPackage)
        for config in () if package is None else package.config:
            found = config.static_collection_config
            if found.name == collection and found.HasField("endorsement_policy"):
                return found.endorsement_policy
        return None

    def _read(self, chaincode: str, name: str, kind: type[Said]) -> Said | None:
        raw = self._replay.public.value((LIFECYCLE, f"namespaces/fields/{chaincode}/{name}"))
        return None if raw is None else kind.FromString(db_pb2.StateData.FromString(raw).Bytes)
