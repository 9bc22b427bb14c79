"""Serves the real contract with many worlds on one chaincode, so that a test has an empty world without a deployment.

A call's transient data names its world and the time there: every endorser is told the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast

import orjson

from chaincode.contract import Lotline
from chaincode.stub import Stub
from fabric.shim import FabricStub, serve
from fabric.words.response import Response, ok

KIND = "W"
"""A world's keys are composite keys of this type, with the world's name as first attribute."""


class World:
    """A stub whose keys are those of one world, and whose clock is that world's. All else is the peer's own stub."""

    def __init__(self, stub: FabricStub, name: str, now: datetime) -> None:
        self._stub = stub
        self._name = name
        self._prefix = stub.create_composite_key(KIND, [name])
        self._now = now

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stub, name)

    def get_tx_timestamp(self) -> datetime:
        return self._now

    def get_state(self, key: str) -> bytes | None:
        return self._stub.get_state(self._inside(key))

    def get_multiple_states(self, keys: Sequence[str]) -> list[bytes | None]:
        return self._stub.get_multiple_states([self._inside(key) for key in keys])

    def put_state(self, key: str, value: bytes) -> None:
        self._stub.put_state(self._inside(key), value)

    def del_state(self, key: str) -> None:
        self._stub.del_state(self._inside(key))

    def set_state_validation_parameter(self, key: str, policy: bytes) -> None:
        self._stub.set_state_validation_parameter(self._inside(key), policy)

    def get_state_validation_parameter(self, key: str) -> bytes | None:
        return self._stub.get_state_validation_parameter(self._inside(key))

    def get_state_by_partial_composite_key(
        self, object_type: str, attributes: Sequence[str]
    ) -> Iterator[tuple[str, bytes]]:
        found = self._stub.get_state_by_partial_composite_key(KIND, [self._name, object_type, *attributes])
        return ((key.removeprefix(self._prefix[:-1]), value) for key, value in found)

    def _inside(self, key: str) -> str:
        assert key.startswith("\x00"), f"{key!r} is no composite key"
        return self._prefix[:-1] + key


class Worlds:
    """The contract, and ``seed``, which puts states into a world as they are."""

    def __init__(self) -> None:
        self._contract = Lotline()

    def init(self, stub: FabricStub) -> Response:
        return ok()

    def invoke(self, stub: FabricStub) -> Response:
        told = stub.get_transient()
        world = World(stub, told["world"].decode(), datetime.fromisoformat(told["now"].decode()))
        name, parameters = stub.get_function_and_parameters()
        if name == "seed":
            for key, value in orjson.loads(parameters[0]).items():
                world.put_state(key, value.encode())
            return ok()
        return self._contract.invoke(cast(Stub, world))


if __name__ == "__main__":
    sys.exit(serve(Worlds()))
