"""The contract: its functions by name, and how refusals are answered."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from chaincode import capture, devices, heads, keys, master_data, protection, publications, reassignment, registry
from chaincode.context import Context
from chaincode.rejection import Malformed
from chaincode.stub import Stub
from epcis.identity import hash_hex
from fabric.words.response import Response, error, ok

Function = Callable[[Context, bytes], bytes]


class Lotline:
    """What runs on every organisation's peer. Never raises for bad input: it answers with status 4xx and a reason."""

    def init(self, stub: Stub) -> Response:
        """Nothing has to be made ready."""
        return ok()

    def invoke(self, stub: Stub) -> Response:
        """Call a function of ``FUNCTIONS`` with its one argument (``config`` takes none)."""
        name, parameters = stub.get_function_and_parameters()
        function = FUNCTIONS.get(name)
        if function is None:
            return error(404, f"there is no function {name!r}; there are: {', '.join(sorted(FUNCTIONS))}")
        if len(parameters) != 1 and not (name == "config" and not parameters):
            return error(400, f"{name} takes one argument, not {len(parameters)}")
        try:
            context = Context(stub)
        except ValueError as fault:
            return error(403, f"the submitter's identity cannot be read: {fault}")
        start_batch = getattr(stub, "start_write_batch", None)
        if start_batch is not None:
            start_batch()
        try:
            return ok(function(context, parameters[0] if parameters else b""))
        except Malformed as refusal:
            return error(refusal.status, str(refusal))


def _lookup(key_of: Callable[[str], str], what: str) -> Function:
    def look_up(context: Context, argument: bytes) -> bytes:
        identifier = argument.decode("utf-8", "replace")
        record = context.state.get(key_of(identifier))
        if record is None:
            raise Malformed(f"there is no {what} {identifier}", 404)
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)

    return look_up


def _config(context: Context, argument: bytes) -> bytes:
    return orjson.dumps(context.config.to_answer(), option=orjson.OPT_SORT_KEYS)


FUNCTIONS: dict[str, Function] = {
    "capture": capture.capture,
    "configure": registry.configure,
    "registerParty": registry.register_party,
    "registerPlace": registry.register_place,
    "registerDevice": registry.register_device,
    "revokeDevice": devices.revoke_device,
    "explainDevice": devices.explain_device,
    "reassign": reassignment.reassign,
    "describe": master_data.describe,
    "publish": publications.publish,
    "protect": protection.protect,
    "release": protection.release,
    "config": _config,
    "heads": heads.heads,
    "event": _lookup(lambda name: keys.event(hash_hex(name) or name), "event"),
    "thing": _lookup(keys.thing, "thing"),
    "lot": _lookup(keys.lot, "lot"),
    "party": _lookup(keys.party, "party"),
    "place": _lookup(keys.place, "place"),
    "device": _lookup(keys.device, "device"),
    "deviceChain": _lookup(keys.device_chain, "chain of device"),
    "handoff": _lookup(keys.handoff, "handoff"),
    "exception": _lookup(keys.exception, "exception"),
}
