"""A ledger that fails on command, and keeps what a real one would keep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common import common_pb2

from ledger.errors import RejectedByContract, TooLarge, Unavailable
from ledger.port import Committed, Identity


class SimulatedCrash(BaseException):
    """The process dies here. Not an Exception: nothing may catch it."""


@dataclass
class FakeLedger:
    """Applies each nonce once, judges each event once (``{"n": …}``), refuses batches with ``{"poison": …}`` or more than ``most_bytes``.
    It breaks on a batch with ``{"breaks": …}``, its peers differ over one with ``{"differs": …}``, and an event that ``needs``
    another is rejected before that one.

    ``trouble`` is asked before and after every commit, with a count of the calls; it may raise.
    """

    trouble: Callable[[str, int], None] = lambda when, call: None
    most_bytes: int = 10**9
    agreed: bool = False
    ordering: str = ""
    asked: int = 0
    transactions: dict[bytes, Committed] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    calls: list[tuple[str, bytes, str]] = field(default_factory=list)

    async def submit(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
        nonce: bytes | None = None,
    ) -> Committed:
        assert nonce is not None
        self.calls.append((function, nonce, identity.name))
        call = len(self.calls)
        self.trouble("before", call)
        if nonce not in self.transactions:
            result = self._apply(function, args)
            self.transactions[nonce] = Committed(nonce.hex(), len(self.transactions) + 1, result)
        self.trouble("after", call)
        return self.transactions[nonce]

    async def attest(self, function: str, args: Sequence[bytes], *, identity: Identity) -> bytes:
        raise Unavailable("there is nobody to ask")

    def _apply(self, function: str, args: Sequence[bytes]) -> bytes:
        if function != "capture":
            return b"{}"
        if len(args[0]) > self.most_bytes:
            raise TooLarge(f"a transaction has at most {self.most_bytes} bytes")
        groups = orjson.loads(args[0])["groups"]
        if any("poison" in event for group in groups for event in group["events"]):
            raise RejectedByContract(400, "this batch is malformed")
        if any("breaks" in event for group in groups for event in group["events"]):
            raise RejectedByContract(500, "KeyError: 'breaks'")
        if not self.agreed and any("differs" in event for group in groups for event in group["events"]):
            raise Unavailable("the peers' answers differ: chaincode response 400, no", disputed=True)
        return orjson.dumps({"groups": [self._judge(group) for group in groups]})

    def _judge(self, group: dict[str, Any]) -> dict[str, Any]:
        verdicts = []
        for event in group["events"]:
            if "needs" in event and f"ni:///{event['needs']}" not in self.accepted:
                return {"id": group["id"], "committed": False, "verdicts": [{"event": "", "verdict": "rejected"}]}
            name = f"ni:///{event['n']}"
            verdicts.append({"event": name, "verdict": "duplicate" if name in self.accepted else "accepted"})
            if verdicts[-1]["verdict"] == "accepted":
                self.accepted.append(name)
        return {"id": group["id"], "committed": True, "verdicts": verdicts}

    async def evaluate(
        self,
        function: str,
        args: Sequence[bytes],
        *,
        identity: Identity,
        transient: Mapping[str, bytes] | None = None,
    ) -> bytes:
        self.asked += 1
        self.trouble("asked", self.asked)
        before = list(self.accepted)
        try:
            return self._apply(function, args)
        finally:
            self.accepted = before

    async def checkpoints(self, nonce: bytes, *, identity: Identity) -> list[bytes]:
        return []

    async def blocks(self, start: int = 0) -> AsyncIterator[common_pb2.Block]:
        for number in range(start, 0):
            yield await self.block(number)

    async def height(self) -> int:
        return len(self.transactions)

    async def block(self, number: int) -> common_pb2.Block:
        return common_pb2.Block()

    async def transaction_block(self, tx_id: str) -> int | None:
        return None

    async def close(self) -> None:
        return None


def fake_identity(name: str) -> Identity:
    """An identity whose certificate nobody looks at."""
    return Identity(name, "FarmMSP", b"", ec.generate_private_key(ec.SECP256R1()))
