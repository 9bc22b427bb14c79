"""From a question to its proof: gather events until the walk needs no more, and have the organisations sign where the trails stand."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fabric_protos.common import common_pb2
from sqlalchemy import Engine

from fabric.words.transaction import Endorsed
from ledger.port import Identity, Ledger
from proofs.attestation import nonce_bytes
from proofs.document import NOT_SHOWN, ONE_PARTY, Proof, Question
from proofs.story import Story
from proofs.walk import needed, reached
from proving.gathering import Gathering, trails_of

MOST_NAMES = 20_000
"""Things of one proof: as many as the contract answers for at once."""
_PATIENCE = (0.1, 0.3, 1.0, 3.0)
"""Seconds before the read model is asked again, which is a moment behind the ledger."""


class NotProvenError(Exception):
    """There is no proof of this answer. The message says why."""


class Prover:
    """Proves answers. ``one_party``: the ledger is one on which a single party holds all organisations' keys."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        identity: Identity,
        *,
        one_party: bool,
        chaincode: str = "lotline",
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._identity = identity
        self._one_party = one_party
        self._chaincode = chaincode

    async def prove(
        self,
        kind: str,
        uri: str,
        *,
        direction: str = "none",
        subject: str | None = None,
        nonce: str | None = None,
        shown: Mapping[str, Sequence[str]] | None = None,
    ) -> Proof:
        """The proof of an answer about a thing; ``subject`` is the handoff or exception that was asked for, ``shown`` what the answer
        names. Raises NotProvenError, and the errors of ``ledger.errors``."""
        question = Question(kind, uri, direction, nonce or secrets.token_urlsafe(24), subject)
        for pause in (0.0, *_PATIENCE):
            await asyncio.sleep(pause)
            proof = await self._try(question, {name: list(listed) for name, listed in (shown or {}).items()})
            if proof is not None:
                return proof
        raise NotProvenError(
            "the organisations know of events that this read model does not show yet: ask again in a moment"
        )

    async def _try(self, question: Question, shown: dict[str, list[str]]) -> Proof | None:
        gathered = Gathering(self._ledger, self._chaincode)
        asked: set[str] = set()
        with self._engine.connect() as connection:
            names = {question.id}
            while names - asked:
                await gathered.add(connection, sorted(names - asked))
                asked |= names
                story = Story(kept.said for _, kept in sorted(gathered.events.items()))
                found = reached(story, question.id, question.direction)  # type: ignore[arg-type]
                things, classes = needed(story, found)
                names = {*things, *classes}
                if len(names) > MOST_NAMES:
                    raise NotProvenError(
                        f"more than {MOST_NAMES:,} things belong to it: ask for one direction, or for one of them"
                    )
        trails = trails_of(gathered, things, classes)
        used = sorted({event for _, _, events in trails for event in events})
        places = {event: place for place, event in enumerate(used)}
        kept = [gathered.events[event] for event in used]
        devices = sorted({one.said.device for one in kept if one.said.device is not None})
        attestation = await self._attest(question, things, classes, devices)
        if not _stand(attestation, trails):
            return None
        checkpoints = await self._ledger.checkpoints(nonce_bytes(question.nonce), identity=self._identity)
        return Proof(
            question,
            sorted(found.roles.items()),
            [one.said.name for one in kept],
            [one.text for one in kept],
            [(uri, writer, [places[event] for event in events]) for uri, writer, events in trails],
            attestation,
            checkpoints,
            [*NOT_SHOWN, *([ONE_PARTY] if self._one_party else [])],
            shown,
        )

    async def _attest(
        self, question: Question, things: Sequence[str], classes: Sequence[str], devices: Sequence[str]
    ) -> bytes:
        records: dict[str, list[str]] = {}
        if devices:
            records["device"] = list(devices)
        if question.subject is not None:
            records[question.kind] = [question.subject]
        elif question.kind == "thing":
            records["thing"], records["lot"] = [question.id], [question.id]
        asked = {"nonce": question.nonce, "things": things, "classes": classes, "records": records}
        argument = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
        return await self._ledger.attest("heads", [argument], identity=self._identity)


def _stand(attestation: bytes, trails: Sequence[tuple[str, str, list[int]]]) -> bool:
    """Whether the trails are as long as the organisations say: a read model that is behind has shorter ones."""
    answer: dict[str, Any] = orjson.loads(
        Endorsed.read(common_pb2.Payload.FromString(attestation).data).result.response.payload
    )
    told = {(uri, ""): head[0] for uri, head in answer["things"].items() if head is not None and head[0]}
    told |= {
        (uri, writer): head[0] for uri, found in answer["classes"].items() for writer, head in found.items() if head[0]
    }
    return {(uri, writer): len(events) for uri, writer, events in trails} == told
