"""What a peer passes on to its chaincode, found out before it is sent.

A peer sends the arguments twice in one message, by themselves and in the signed proposal. One that is beyond gRPC's limit
ends its stream to the chaincode with everything that is under way, and not every peer says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger.errors import TooLarge

MESSAGE_BYTES = 100 * 1024 * 1024
"""The most that a peer sends in one message: the default of ``peer.maxSendMsgSize`` in Fabric's core.yaml."""
_AROUND = 64 * 1024  # certificates, names and signatures beside the arguments


def check_size(args: Sequence[bytes], transient: Mapping[str, bytes] | None = None) -> None:
    """Raises TooLarge for arguments that no peer can pass on."""
    passed = 2 * sum(map(len, args)) + sum(map(len, (transient or {}).values())) + _AROUND
    if passed > MESSAGE_BYTES:
        raise TooLarge(
            "the network does not carry this transaction: with its arguments, the message from a peer to its chaincode"
            f" would be larger than {MESSAGE_BYTES} bytes ({passed})"
        )
