"""A contract small enough to know by heart: it uses every method of the stub and can fail in every way."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable

from chaincode.endorsement import all_of
from chaincode.stub import Stub
from fabric.words.response import Response, error, ok

Function = Callable[[Stub, list[str]], Response]


class Notebook:
    """Keys and values, and some misbehaviour on request. Only ``Stub`` is used, so it runs on a real peer too."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def init(self, stub: Stub) -> Response:
        return ok()

    def invoke(self, stub: Stub) -> Response:
        self.threads.add(threading.get_ident())
        name, parameters = stub.get_function_and_parameters()
        assert stub.args() == [name.encode(), *parameters]
        return _FUNCTIONS[name](stub, [parameter.decode() for parameter in parameters])


def _put(stub: Stub, words: list[str]) -> Response:
    for key, value in zip(words[::2], words[1::2], strict=True):
        stub.put_state(key, value.encode())
    return ok(b"put")


def _write(stub: Stub, words: list[str]) -> Response:
    """So many reads, then so many writes: JSON ``{"reads": [key], "writes": {key: value, or null to delete}}``."""
    asked = json.loads(words[0])
    stub.get_multiple_states(asked["reads"])
    for key, value in asked["writes"].items():
        if value is None:
            stub.del_state(key)
        else:
            stub.put_state(key, value.encode())
    return ok()


def _fill(stub: Stub, words: list[str]) -> Response:
    """So many states of so many bytes, and nothing else: the least that a transaction of that size costs. A third word: first
    look for so many keys that are not there, and spread all keys as hashes are.

    A fifth of each value is random, so that a peer's database compresses them as far as it does the contract's records
    (to a quarter, with snappy in blocks of 4 KiB); one repeated letter would cost it next to nothing.
    """
    count, size, reads = int(words[0]), int(words[1]), int(words[2]) if len(words) > 2 else 0
    start_batch = getattr(stub, "start_write_batch", None)
    if start_batch is not None:
        start_batch()
    prefix = stub.get_tx_id()[:16]
    if reads:
        stub.get_multiple_states(sorted(_spread(f"{prefix}-{number}") for number in range(reads)))
    random_bytes = size // 10
    rest = b"x" * max(size - 21 - 2 * random_bytes, 1)
    for number in range(count):
        key = f"{prefix}{number:05d}"
        if reads:
            key = _spread(key)
        stub.put_state(key, hashlib.shake_128(key.encode()).hexdigest(random_bytes).encode() + rest)
    return ok(b"filled")


def _spread(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:21]


def _get(stub: Stub, words: list[str]) -> Response:
    values = stub.get_multiple_states(words)
    return ok(json.dumps([None if value is None else value.decode() for value in values]).encode())


def _append(stub: Stub, words: list[str]) -> Response:
    key, more = words
    stub.put_state(key, (stub.get_state(key) or b"") + more.encode())
    own = stub.get_state(key) or b""
    return ok(b"before: " + own)


def _delete(stub: Stub, words: list[str]) -> Response:
    for key in words:
        stub.del_state(key)
    return ok()


def _file(stub: Stub, words: list[str]) -> Response:
    kind, name, value = words
    stub.put_state(stub.create_composite_key(kind, [name]), value.encode())
    return ok()


def _list(stub: Stub, words: list[str]) -> Response:
    found = stub.get_state_by_partial_composite_key(words[0], [])
    listed = {stub.split_composite_key(key)[1][0]: value.decode() for key, value in found}
    stub.put_state("listed", str(len(listed)).encode())
    return ok(json.dumps(listed).encode())


def _demand(stub: Stub, words: list[str]) -> Response:
    """From now on a key is changed by these organisations together; its value stays."""
    key, *msps = words
    stub.set_state_validation_parameter(key, all_of(msps))
    return ok()


def _demanded(stub: Stub, words: list[str]) -> Response:
    return ok((stub.get_state_validation_parameter(words[0]) or b"").hex().encode())


def _refuse(stub: Stub, words: list[str]) -> Response:
    stub.put_state("never", b"written")
    return error(int(words[0]), words[1], b"because")


def _hang(stub: Stub, words: list[str]) -> Response:
    time.sleep(float(words[0]))
    return ok()


_ASKED: Counter[str] = Counter()


def _waver(stub: Stub, words: list[str]) -> Response:
    """Says a word, but the first so many times what only its own process would say: as a peer that lags differs."""
    word, times = words
    _ASKED[word] += 1
    said = (word if _ASKED[word] > int(times) else str(os.getpid())).encode()
    stub.put_state("said", said)
    return ok(said)


def _crash(stub: Stub, words: list[str]) -> Response:
    stub.put_state("never", b"written")
    raise RuntimeError("out of order")


def _about(stub: Stub, words: list[str]) -> Response:
    stub.set_event("told", b"about")
    about = {
        "tx": stub.get_tx_id(),
        "channel": stub.get_channel_id(),
        "time": stub.get_tx_timestamp().isoformat(),
        "creator": stub.get_creator().hex(),
        "transient": {name: value.decode() for name, value in stub.get_transient().items()},
    }
    return ok(json.dumps(about).encode())


_FUNCTIONS: dict[str, Function] = {
    "put": _put,
    "write": _write,
    "fill": _fill,
    "get": _get,
    "append": _append,
    "delete": _delete,
    "file": _file,
    "list": _list,
    "demand": _demand,
    "demanded": _demanded,
    "refuse": _refuse,
    "crash": _crash,
    "hang": _hang,
    "waver": _waver,
    "about": _about,
}
