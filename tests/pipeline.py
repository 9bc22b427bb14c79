"""Documents from the edge to the answers: read, contract, block, tables, questions. Whatever is accepted must get through."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import Engine, select
from sqlmodel import col

from api.event_documents import query_document
from chaincode.answers import verdicts_of
from fabric.words.blocks import DecodedBlock, DecodedTx, Write
from readmodel import Projector
from readmodel.queries import EventFilter, HandoffFilter, exceptions, find_events, handoffs, thing, trace
from readmodel.queries.refusals import refusals
from readmodel.tables import EventEpc, Thing
from relay.intake import Intake, read
from tests.unit.chaincode.peer import Peer

ORGANISATIONS = ("AMSP", "BMSP", "CMSP")
_NOW = datetime(2025, 6, 1, tzinfo=UTC)


class Pipeline:
    """A peer in memory, the blocks that would be made of its writes, and a read model."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.projector = Projector(engine)
        self.peer = Peer()
        self.blocks: list[DecodedBlock] = []
        self.counts: Counter[str] = Counter()
        self._waiting: list[DecodedTx] = []
        self._last: list[str] = []

    def take(self, body: bytes, msp: str) -> bool:
        """Read a document, and let the contract judge it; whether the edge accepts it."""
        reading = read(body)
        if not isinstance(reading, Intake):
            assert reading, "refused without a reason"
            self.counts["refused at the edge"] += 1
            return False
        self.capture(reading.payload, msp)
        return True

    def capture(self, events: bytes, msp: str, on_error: str = "proceed") -> None:
        """Let the contract judge events, and keep what it writes for the next block."""
        batch = b'{"groups":[{"id":"g","onError":"%s","events":%s}]}' % (on_error.encode(), events)
        answer = self.peer.call("capture", batch, msp)
        assert answer.status == 200, answer.message
        for verdict in verdicts_of(orjson.loads(answer.payload)["groups"][0]):
            self.counts[verdict["verdict"]] += 1
        self._note("capture", msp, answer.payload)

    def call(self, function: str, argument: object, msp: str) -> None:
        """Call another function of the contract."""
        answer = self.peer.call(function, argument, msp)
        assert answer.status == 200, answer.message
        self._note(function, msp, answer.payload)

    def _note(self, function: str, msp: str, payload: bytes) -> None:
        number = len(self.blocks) * 1_000 + len(self._waiting)
        self._waiting.append(
            DecodedTx(
                tx_id=hashlib.sha256(f"tx{number}".encode()).hexdigest(),
                index=len(self._waiting),
                type=3,
                timestamp=_NOW + timedelta(seconds=number),
                creator_msp=msp,
                creator=self.peer.creator(msp, "admin"),
                function=function,
                code=0,
                valid=True,
                writes=[
                    Write("lotline", key, value, value is None) for key, value in sorted(self.peer.last.writes.items())
                ],
                response_payload=payload,
            )
        )

    def block(self) -> DecodedBlock:
        """Make a block of what waits."""
        number = len(self.blocks)
        previous = self.blocks[-1].header_hash if self.blocks else b""
        data = hashlib.sha256(repr([(tx.tx_id, tx.writes) for tx in self._waiting]).encode()).digest()
        made = DecodedBlock(number, previous, data, hashlib.sha256(previous + data).digest(), self._waiting)
        self._waiting = []
        self.blocks.append(made)
        return made

    def project(self) -> None:
        """Make a block of what waits, and project it: nothing of it may be beyond reading."""
        block = self.block()
        applied = self.projector.apply(replace(block))
        assert applied.quarantined == 0, self._set_aside()
        self.counts["blocks"] += 1

    def _set_aside(self) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            sql = "SELECT kind, key, reason FROM quarantine ORDER BY transaction_id DESC, n DESC LIMIT 5"
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def ask(self, things: int = 3) -> None:
        """Every question about the newest events and what they name has an answer that can be written as JSON."""
        with self.engine.connect() as connection:
            page = find_events(connection, EventFilter(order_by="recordTime"), per_page=5)
            orjson.dumps(query_document(page.items, _NOW))
            newest = select(col(EventEpc.thing_id)).where(col(EventEpc.event_id).in_([one.id for one in page.items]))
            named = select(col(Thing.uri)).where(col(Thing.id).in_(newest)).limit(things)
            for uri in connection.scalars(named).all():
                found = thing(connection, uri)
                assert found is not None
                orjson.dumps(found, default=str)
                orjson.dumps(trace(connection, uri), default=str)
            for listed in (exceptions(connection), handoffs(connection, HandoffFilter()), refusals(connection)):
                orjson.dumps(listed.items, default=str)
