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
from proofs.walk import Reached, needed, reached
from proving.gathering import Gathering, Kept, Trail, trails_of

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
        things, classes = await self._close(question, gathered)
        devices = {one.said.device for one in gathered.events.values() if one.said.device is not None}
        attestation = await self._attest(question, things, classes, sorted(devices))
        heads = _heads(attestation)
        trails = _as_signed(heads, trails_of(gathered, things, classes))
        if trails is None:
            return None
        used = sorted({event for _, _, events in trails for event in events})
        places = {event: place for place, event in enumerate(used)}
        kept = [gathered.events[event] for event in used]
        found = _walk(question, kept)
        if any(len(head) > 2 for head in heads.values()):  # the answer may have more than can be shown
            known = {one.said.name for one in kept} | found.roles.keys()
            shown = {name: [one for one in listed if one in known] for name, listed in shown.items()}
        return Proof(
            question,
            sorted(found.roles.items()),
            [one.said.name for one in kept],
            [one.text for one in kept],
            [(uri, writer, [places[event] for event in events]) for uri, writer, events in trails],
            attestation,
            await self._ledger.checkpoints(nonce_bytes(question.nonce), identity=self._identity),
            [*NOT_SHOWN, *([ONE_PARTY] if self._one_party else [])],
            shown,
        )

    async def _close(self, question: Question, gathered: Gathering) -> tuple[list[str], list[str]]:
        """Gather until the walk over the events of what it needs needs no more; returns the things and the classes."""
        things, classes = {question.id}, {question.id}
        with self._engine.connect() as connection:
            asked: set[str] = set()
            while new := (things | classes) - asked:
                await gathered.add(connection, sorted(new))
                asked |= new
                used = {event for _, _, events in trails_of(gathered, things, classes) for event in events}
                kept = [gathered.events[event] for event in sorted(used)]
                more_things, more_classes = needed(Story(one.said for one in kept), _walk(question, kept))
                things.update(more_things)
                classes.update(more_classes)
                if len(things) + len(classes) > MOST_NAMES:
                    raise NotProvenError(
                        f"more than {MOST_NAMES:,} things belong to it: ask for one direction, or for one of them"
                    )
        return sorted(things), sorted(classes)

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


def _walk(question: Question, kept: Sequence[Kept]) -> Reached:
    return reached(Story(one.said for one in kept), question.id, question.direction)  # type: ignore[arg-type]


def _heads(attestation: bytes) -> dict[tuple[str, str], list[Any]]:
    """What the organisations say: ``[n, head]`` by thing and writer, with a third member where it is older than trails."""
    answer: dict[str, Any] = orjson.loads(
        Endorsed.read(common_pb2.Payload.FromString(attestation).data).result.response.payload
    )
    heads = {(uri, ""): head for uri, head in answer["things"].items() if head is not None}
    heads |= {(uri, writer): head for uri, found in answer["classes"].items() for writer, head in found.items()}
    return heads


def _as_signed(heads: dict[tuple[str, str], list[Any]], trails: Sequence[Trail]) -> list[Trail] | None:
    """The trails as long as the organisations say; None if the read model does not show all of one yet.

    Of what is older than trails only the latest events are in them.
    """
    known = {(uri, writer): events for uri, writer, events in trails}
    found: list[Trail] = []
    for (uri, writer), (count, _, *older) in sorted(heads.items()):
        events = known.get((uri, writer), [])
        if len(events) < count or (len(events) > count and not older):
            return None
        if count:
            found.append((uri, writer, events[len(events) - count :]))
    return found
