"""The chaincode server against a peer: the handshake, every request, and everything that can go wrong."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from fabric_protos.peer import proposal_response_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Message

from fabric.shim import ChaincodeServer
from fabric.shim.errors import PeerError, StreamClosedError
from fabric.shim.stub import FabricStub
from fabric.words.response import Response, error, ok
from tests.integration.fabric.peer import FakePeer

PACKAGE = "label:0123"


class Script:
    """A contract whose function is whatever the test puts there."""

    def __init__(self) -> None:
        self.function: Callable[[FabricStub], Response] = lambda stub: ok()

    def init(self, stub: FabricStub) -> Response:
        return self.invoke(stub)

    def invoke(self, stub: FabricStub) -> Response:
        return self.function(stub)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def server(script: Script) -> Iterator[ChaincodeServer]:
    with ChaincodeServer(script, PACKAGE, "127.0.0.1:0") as running:
        yield running


@pytest.fixture(params=[True, False], ids=["batches", "single"])
def peer(request: pytest.FixtureRequest, server: ChaincodeServer) -> Iterator[FakePeer]:
    """A peer that can take batches, and one that cannot (Fabric before v3.1)."""
    connected = FakePeer(server.port, batches=request.param)
    assert connected.register() == PACKAGE
    yield connected
    connected.close()


def result(message: object) -> tuple[int, bytes]:
    assert message.type == Message.COMPLETED, message  # type: ignore[attr-defined]
    response = proposal_response_pb2.Response.FromString(message.payload)  # type: ignore[attr-defined]
    return response.status, response.payload


def test_state(script: Script, peer: FakePeer) -> None:
    peer.state = {"a": b"1", "b": b"2"}

    def work(stub: FabricStub) -> Response:
        assert stub.get_state("none") is None
        found = stub.get_multiple_states(["a", "b", "none"])
        stub.put_state("a", b"changed")
        stub.del_state("b")
        return ok(b",".join(value or b"-" for value in found))

    script.function = work
    assert result(peer.invoke(b"f")) == (200, b"1,2,-")
    assert peer.state == {"a": b"changed"}


def test_many_writes_go_in_few_messages(script: Script, peer: FakePeer) -> None:
    def work(stub: FabricStub) -> Response:
        stub.start_write_batch()
        for number in range(450):
            stub.put_state(f"k{number}", b"old")
            stub.put_state(f"k{number}", b"new")  # only the last one is sent
        return ok()

    script.function = work
    peer.invoke(b"f")
    assert set(peer.state.values()) == {b"new"}
    assert len(peer.state) == 450
    batches = peer.asked.count("WRITE_BATCH_STATE")
    assert batches == (3 if peer.asked.count("PUT_STATE") == 0 else 0)


def test_many_reads_go_in_few_messages(script: Script, peer: FakePeer) -> None:
    peer.state = {f"k{n}": str(n).encode() for n in range(450)}
    script.function = lambda stub: ok(
        b" ".join(v or b"" for v in stub.get_multiple_states([f"k{n}" for n in range(450)]))
    )
    assert result(peer.invoke(b"f"))[1] == b" ".join(str(n).encode() for n in range(450))
    assert len(peer.asked) in (3, 450)


def test_ranges_are_fetched_as_they_are_needed_and_closed(script: Script, peer: FakePeer) -> None:
    peer.state = {f"k{n}": b"v" for n in range(8)}

    def work(stub: FabricStub) -> Response:
        keys = [key for key, _ in stub.get_state_by_range("", "")]
        with stub.get_state_by_range("k1", "k9") as some:
            keys.append(next(some)[0])
        return ok(" ".join(keys).encode())

    script.function = work
    assert result(peer.invoke(b"f"))[1] == b"k0 k1 k2 k3 k4 k5 k6 k7 k1"
    assert peer.asked == [
        "GET_STATE_BY_RANGE",
        "QUERY_STATE_NEXT",
        "QUERY_STATE_NEXT",
        "GET_STATE_BY_RANGE",
        "QUERY_STATE_CLOSE",
    ]


def test_pages(script: Script, peer: FakePeer) -> None:
    peer.state = {f"k{n}": b"v" for n in range(5)}

    def work(stub: FabricStub) -> Response:
        found, bookmark = [], ""
        while True:
            page, info = stub.get_state_by_range_with_pagination("", "", 2, bookmark)
            found.append(str(len(list(page))))
            bookmark = info.bookmark
            if not bookmark:
                return ok("".join(found).encode())

    script.function = work
    assert result(peer.invoke(b"f"))[1] == b"221"


def test_key_level_policies(script: Script, peer: FakePeer) -> None:
    def work(stub: FabricStub) -> Response:
        before = stub.get_state_validation_parameter("k")
        stub.set_state_validation_parameter("k", b"policy")
        return ok(repr(before).encode())

    script.function = work
    assert result(peer.invoke(b"f"))[1] == b"None"
    assert result(peer.invoke(b"f", tx_id="tx2"))[1] == b"b'policy'"


def test_what_the_call_is_about(script: Script, peer: FakePeer) -> None:
    def work(stub: FabricStub) -> Response:
        assert stub.get_function_and_parameters() == ("f", [b"x", b"\xff"])
        assert stub.get_channel_id() == "ch"
        assert stub.get_creator() == b"somebody"
        assert stub.get_transient() == {"pin": b"4711"}
        assert stub.get_tx_timestamp().timestamp() == 1_700_000_000
        assert stub.get_binding() == hashlib.sha256(b"n" * 24 + b"somebody" + bytes(8)).digest()
        stub.set_event("first", b"1")
        stub.set_event("told", b"2")
        return ok(stub.get_tx_id().encode())

    script.function = work
    done = peer.invoke(b"f", b"x", b"\xff", tx_id="tx9")
    assert result(done) == (200, b"tx9")
    assert (done.chaincode_event.event_name, done.chaincode_event.payload) == ("told", b"2")


def test_a_peers_refusal_is_an_error_and_never_a_value(script: Script, peer: FakePeer) -> None:
    peer.refuse = {"GET_STATE"}

    def work(stub: FabricStub) -> Response:
        with pytest.raises(PeerError, match="no ledger context"):
            stub.get_state("a")
        stub.get_state("a")
        raise AssertionError("not reached")

    script.function = work
    done = peer.invoke(b"f")
    assert done.type == Message.ERROR
    assert b"no ledger context" in done.payload


def test_an_exception_is_answered_at_once_and_the_next_call_works(script: Script, peer: FakePeer) -> None:
    def broken(stub: FabricStub) -> Response:
        stub.put_state("a", b"1")
        raise ValueError("out of order")

    script.function = broken
    done = peer.invoke(b"f")
    assert (done.type, done.payload, done.txid) == (Message.ERROR, b"ValueError: out of order", "tx1")
    script.function = lambda stub: error(404, "nothing here")
    assert result(peer.invoke(b"f", tx_id="tx2")) == (404, b"")


def test_init_with_500_is_an_error(script: Script, peer: FakePeer) -> None:
    script.function = lambda stub: error(500, "no")
    assert peer.invoke(b"f", kind=Message.INIT).type == Message.ERROR
    assert peer.invoke(b"f", kind=Message.TRANSACTION, tx_id="tx2").type == Message.COMPLETED


def test_keepalives_are_echoed(peer: FakePeer) -> None:
    peer.send(Message(type=Message.KEEPALIVE))
    assert peer.receive().type == Message.KEEPALIVE


def test_transactions_run_beside_one_another(script: Script, peer: FakePeer) -> None:
    together = threading.Barrier(3, timeout=10)

    def work(stub: FabricStub) -> Response:
        together.wait()
        return ok(stub.get_state("k") or b"")

    script.function = work
    peer.state = {"k": b"v"}
    for tx_id in ("t1", "t2", "t3"):
        peer.begin(b"f", tx_id=tx_id)
    done: set[str] = set()
    while len(done) < 3:
        message = peer.receive()
        if message.type == Message.COMPLETED:
            assert result(message) == (200, b"v")
            done.add(message.txid)
        else:
            peer.send(peer.answer(message))
    assert done == {"t1", "t2", "t3"}


def test_a_lost_stream_frees_whoever_waits(script: Script, peer: FakePeer) -> None:
    told: list[BaseException] = []
    waiting, freed = threading.Event(), threading.Event()

    def work(stub: FabricStub) -> Response:
        waiting.set()
        try:
            stub.get_state("never answered")
        except StreamClosedError as lost:
            told.append(lost)
            raise
        finally:
            freed.set()
        return ok()

    script.function = work
    peer.begin(b"f")
    assert waiting.wait(10)
    peer.close()
    assert freed.wait(10)
    assert told


def test_a_server_that_stops_answers_what_is_under_way(script: Script, peer: FakePeer, server: ChaincodeServer) -> None:
    """And waits no longer than that: its peers would keep their streams for ever."""
    working, go_on = threading.Event(), threading.Event()

    def work(stub: FabricStub) -> Response:
        working.set()
        go_on.wait()
        return ok(stub.get_state("a") or b"")

    script.function = work
    peer.state = {"a": b"1"}
    peer.begin(b"f")
    working.wait()
    stopping = threading.Thread(target=server.stop, args=(10_000.0,))
    stopping.start()
    go_on.set()
    peer.send(peer.answer(peer.receive()))
    assert result(peer.receive()) == (200, b"1")
    stopping.join()
    with pytest.raises(StopIteration):
        peer.receive()


def test_messages_beyond_grpcs_own_limit(script: Script, peer: FakePeer) -> None:
    large = b"x" * 9_000_000

    def work(stub: FabricStub) -> Response:
        stub.put_state("large", stub.get_args()[1])
        return ok(stub.get_args()[1])

    script.function = work
    assert result(peer.invoke(b"f", large))[1] == large
    assert peer.state["large"] == large


def test_a_call_before_the_handshake_is_refused(server: ChaincodeServer) -> None:
    early = FakePeer(server.port)
    early.receive()
    early.begin(b"f")
    answer = early.receive()
    assert (answer.type, b"not expected while created" in answer.payload) == (Message.ERROR, True)
    early.close()


def test_nothing_of_a_payload_is_logged(script: Script, peer: FakePeer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def work(stub: FabricStub) -> Response:
        stub.put_state("key-of-somebody", b"value-of-somebody")
        return ok(b"answer-to-somebody")

    script.function = work
    peer.invoke(b"f", b"argument-of-somebody")
    assert not any(word in caplog.text for word in ("somebody", "4711"))


@pytest.mark.parametrize("key", ["", "\x00composite\x00"])
def test_keys_that_cannot_be(script: Script, peer: FakePeer, key: str) -> None:
    def work(stub: FabricStub) -> Response:
        with pytest.raises(ValueError, match=r"empty|NUL"):
            stub.put_state("", b"v") if not key else stub.get_state_by_range(key, "")
        return ok()

    script.function = work
    assert result(peer.invoke(b"f"))[0] == 200
