"""Three small chaincodes for the gateway's scenarios: ``python -m tests.fabric.scenarios.chaincode basic|private|errors``.

They use the shim's whole surface: transient data, events, private data, key-level endorsement, the peer's own
organisation, crashes and answers that differ from peer to peer.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable

from chaincode.endorsement import all_of
from fabric.shim import serve
from fabric.shim.stub import FabricStub
from fabric.words.response import Response, error, ok

Function = Callable[[FabricStub, list[bytes]], Response]
MSP = os.environ.get("CORE_PEER_LOCALMSPID", "")


def put(stub: FabricStub, args: list[bytes]) -> Response:
    stub.put_state(args[0].decode(), args[1])
    return ok(args[1])


def get(stub: FabricStub, args: list[bytes]) -> Response:
    return ok(stub.get_state(args[0].decode()) or b"")


def echo_transient(stub: FabricStub, args: list[bytes]) -> Response:
    return ok(json.dumps({name: value.decode() for name, value in sorted(stub.get_transient().items())}).encode())


def event(stub: FabricStub, args: list[bytes]) -> Response:
    stub.set_event(args[0].decode(), args[1])
    return ok()


BASIC: dict[str, Function] = {
    "echo": lambda stub, args: ok(args[0]),
    "echoTransient": echo_transient,
    "put": put,
    "get": get,
    "errorMessage": lambda stub, args: error(500, args[0].decode()),
    "event": event,
}


def check_endorsing_org(stub: FabricStub, args: list[bytes]) -> Response:
    """Only organisations that are named in the transient data may be asked."""
    if MSP not in stub.get_transient():
        return error(500, f"{MSP} should not have been asked")
    return ok(b"Peer mspid OK")


def write_private(stub: FabricStub, args: list[bytes]) -> Response:
    value = stub.get_transient().get("value")
    if value is None:
        return error(400, "the value goes by transient data")
    stub.put_private_data(args[0].decode(), args[1].decode(), value)
    return ok()


def read_private(stub: FabricStub, args: list[bytes]) -> Response:
    return ok(stub.get_private_data(args[0].decode(), args[1].decode()) or b"")


def private_hash(stub: FabricStub, args: list[bytes]) -> Response:
    return ok((stub.get_private_data_hash(args[0].decode(), args[1].decode()) or b"").hex().encode())


def set_with_endorsers(stub: FabricStub, args: list[bytes]) -> Response:
    """Write a key that from now on only these organisations may change, all of them together."""
    key, value, *msps = args
    stub.put_state(key.decode(), value)
    stub.set_state_validation_parameter(key.decode(), all_of([msp.decode() for msp in msps]))
    return ok()


def set_endorsers(stub: FabricStub, args: list[bytes]) -> Response:
    key, *msps = args
    stub.set_state_validation_parameter(key.decode(), all_of([msp.decode() for msp in msps]))
    return ok()


PRIVATE: dict[str, Function] = {
    "getPeerOrg": lambda stub, args: ok(MSP.encode()),
    "checkEndorsingOrg": check_endorsing_org,
    "writePrivateData": write_private,
    "readPrivateData": read_private,
    "privateDataHash": private_hash,
    "setStateWithEndorser": set_with_endorsers,
    "setStateEndorsers": set_endorsers,
    "getState": get,
    "changeState": put,
}


def crash(stub: FabricStub, args: list[bytes]) -> Response:
    os._exit(7)


def nondeterministic(stub: FabricStub, args: list[bytes]) -> Response:
    stub.put_state("random", secrets.token_bytes(8))
    return ok()


def orgs_fail(stub: FabricStub, args: list[bytes]) -> Response:
    if MSP in [arg.decode() for arg in args]:
        return error(500, f"{MSP} refuses to endorse this")
    return ok()


def one_argument(stub: FabricStub, args: list[bytes]) -> Response:
    if len(args) != 1:
        return error(400, f"Expected 1 parameters, but {len(args)} have been supplied")
    return ok(json.dumps(stub.get_state(args[0].decode()) is not None).encode())


ERRORS: dict[str, Function] = {
    "exists": one_argument,
    "crash": crash,
    "nondet": nondeterministic,
    "orgsFail": orgs_fail,
}
ALL = {"basic": BASIC, "private": PRIVATE, "errors": ERRORS}


class Chaincode:
    """One of the three."""

    def __init__(self, functions: dict[str, Function]) -> None:
        self._functions = functions

    def init(self, stub: FabricStub) -> Response:
        return ok()

    def invoke(self, stub: FabricStub) -> Response:
        name, args = stub.get_function_and_parameters()
        function = self._functions.get(name)
        if function is None:
            return error(404, f"You've asked to invoke a function that does not exist: {name}")
        return function(stub, args)


if __name__ == "__main__":
    sys.exit(serve(Chaincode(ALL[sys.argv[1]])))
