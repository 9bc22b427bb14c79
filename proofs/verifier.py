"""The verifier: whether a proof shows what it says. It believes nobody but those whose roots it was given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from epcis.trails import extended
from proofs.attestation import Attested, Checkpoint, read_attestation, read_checkpoint
from proofs.devices import check_devices
from proofs.document import Proof, Question, read_proof
from proofs.faults import ProofError
from proofs.roots import Roots
from proofs.story import Said, Story, read_record
from proofs.walk import Reached, needed, reached


@dataclass(frozen=True)
class Verdict:
    """What a proof shows."""

    question: Question
    channel: str
    organisations: tuple[str, ...]
    """Whose peers signed."""
    block: int
    """As of this block at least."""
    asked_at: datetime
    """By the word of who asked."""
    nodes: list[tuple[str, str]]
    events: list[str]
    signed_by_devices: int
    older: list[str]
    """Of these, events before their trails began may be missing: the ledger is older than trails."""
    records: dict[str, Any]
    """What the ledger says of what was asked: the thing's, handoff's or exception's record; null: it never heard of it."""
    checkpoints: list[Checkpoint]
    """How high these organisations' chains were, signed for this question."""
    not_shown: list[str]


def verify(
    raw: bytes,
    roots: Roots,
    *,
    quorum: int | None = None,
    nonce: str | None = None,
    start: str | None = None,
    chaincode: str = "lotline",
    channel: str | None = None,
    block: int | None = None,
) -> Verdict:
    """Verify a proof's file.

    Args:
        quorum: How many organisations must have signed; by default more than half of those in ``roots``.
        nonce: What the asker made up; a proof made for another question is refused.
        start: The identifier that was asked about.
        block: The proof must be as of this block or later.

    Raises:
        ProofError: It shows nothing; ``word`` says why.
    """
    proof = read_proof(raw)
    attested = read_attestation(proof.attestation, roots)
    _check_question(proof, attested, nonce, start, chaincode, channel)
    wanted = roots.majority if quorum is None else quorum
    if len(attested.signers) < wanted:
        raise ProofError("quorum", f"{', '.join(attested.signers)} signed, and {wanted} are asked for")
    events = [read_record(text) for text in proof.records]
    names = [one.name for one in events]
    if len(set(names)) != len(names):
        raise ProofError("record", "an event stands there twice")
    older = _check_trails(proof, events, attested)
    signed = check_devices(events, attested.records.get("device", {}))
    found = _check_closure(proof, events, attested)
    _check_answer(proof, names, found)
    checkpoints = _checkpoints(proof, roots, attested.channel)
    if block is not None and attested.block < block:
        raise ProofError("stale", f"it shows block {attested.block}, and {block} is asked for")
    return Verdict(
        proof.question,
        attested.channel,
        attested.signers,
        attested.block,
        attested.asked_at,
        proof.nodes,
        names,
        signed,
        older,
        attested.records,
        checkpoints,
        proof.not_shown,
    )


def _checkpoints(proof: Proof, roots: Roots, channel: str) -> list[Checkpoint]:
    """The signed heights. Two of one height with different blocks are a fork, which nobody can deny."""
    read = (read_checkpoint(one, roots, channel, proof.question.nonce) for one in proof.checkpoints)
    found = [one for one in read if one is not None]
    hashes: dict[int, Checkpoint] = {}
    for one in found:
        other = hashes.setdefault(one.height, one)
        if other.header_hash != one.header_hash:
            raise ProofError(
                "signature", f"{other.msp_id} and {one.msp_id} signed different chains of {one.height} blocks: a fork"
            )
    return found


def _check_question(
    proof: Proof, attested: Attested, nonce: str | None, start: str | None, chaincode: str, channel: str | None
) -> None:
    asked, signed = proof.question, attested.question
    if signed.get("nonce") != asked.nonce:
        raise ProofError("question", "the nonce in the file is not the one that was signed")
    for what, expected, found in (
        ("nonce", nonce, asked.nonce),
        ("identifier", start, asked.id),
        ("chaincode", chaincode, attested.chaincode),
        ("channel", channel, attested.channel),
    ):
        if expected is not None and expected != found:
            raise ProofError("question", f"the {what} is {found!r}, and {expected!r} was asked for")
    for name, answered in (("things", attested.things), ("classes", attested.classes)):
        if sorted(signed.get(name, [])) != sorted(answered):
            raise ProofError("question", f"the signed answer is not about the {name} of the question")
    if asked.kind in ("handoff", "exception"):
        record = attested.records.get(asked.kind, {}).get(asked.subject)
        if not isinstance(record, dict):
            raise ProofError("question", f"the organisations did not say what {asked.kind} {asked.subject} is")
        if record.get("item") != asked.id:
            raise ProofError(
                "question", f"{asked.kind} {asked.subject} is about {record.get('item')!r}, not {asked.id!r}"
            )


def _check_trails(proof: Proof, events: list[Said], attested: Attested) -> list[str]:
    """Every attested trail must be made of exactly the events that are there, in order; returns whose began late."""
    heads = dict(_heads(attested))
    told: dict[tuple[str, str], list[int]] = {}
    for uri, writer, listed in proof.trails:
        if (uri, writer) in told:
            raise ProofError("trail", f"{uri} has two trails of one writer")
        told[(uri, writer)] = listed
    older: list[str] = []
    if surplus := told.keys() - heads.keys():
        raise ProofError("trail", f"of {min(surplus)[0]} nobody signed a trail of that writer")
    used: set[int] = set()
    in_trails: dict[tuple[str, bool], set[int]] = {}
    for (uri, writer), head in heads.items():
        if len(head) > 2:
            older.append(uri)
        places: list[int] | None = told.get((uri, writer), None if head[0] else [])
        if places is None:
            raise ProofError("trail", f"{uri}: the trail of writer {writer or 'all'} is not there")
        _check_trail(uri, writer, places, events, head)
        in_trails.setdefault((uri, not writer), set()).update(places)
        used.update(places)
    _check_surplus(events, attested, in_trails, used)
    return sorted(set(older))


def _heads(attested: Attested) -> Iterable[tuple[tuple[str, str], list[Any]]]:
    for uri, head in attested.things.items():
        if head is not None:
            yield (uri, ""), _head(uri, head)
    for uri, writers in attested.classes.items():
        if not isinstance(writers, dict):
            raise ProofError("format", f"the trails of {uri} are no trails")
        for writer, head in writers.items():
            yield (uri, writer), _head(uri, head)


def _head(uri: str, head: Any) -> list[Any]:
    if (
        not isinstance(head, list)
        or len(head) not in (2, 3)
        or type(head[0]) is not int
        or not isinstance(head[1], str)
    ):
        raise ProofError("format", f"the trail of {uri} is no trail")
    return head


def _check_trail(uri: str, writer: str, places: list[int], events: list[Said], head: list[Any]) -> None:
    if len(places) != head[0]:
        raise ProofError("trail", f"{uri}: {len(places)} events are there, and {head[0]} have named it")
    at = ""
    for place in places:
        one = events[place]
        if uri not in (one.classes if writer else one.instances):
            raise ProofError("trail", f"{uri}: event {one.name} does not name it")
        at = extended(at, one.step)
    if at != head[1]:
        raise ProofError("trail", f"{uri}: an event is missing, another, or out of order")


def _check_surplus(
    events: list[Said], attested: Attested, in_trails: dict[tuple[str, bool], set[int]], used: set[int]
) -> None:
    nothing: set[int] = set()
    for place, one in enumerate(events):
        if place not in used:
            raise ProofError("trail", f"event {one.name} is in no trail: the ledger may not have it")
        for is_thing, named, known in ((True, one.instances, attested.things), (False, one.classes, attested.classes)):
            for uri in named:
                if uri in known and place not in in_trails.get((uri, is_thing), nothing):
                    raise ProofError("trail", f"event {one.name} names {uri} and is in no trail of it")


def _check_closure(proof: Proof, events: list[Said], attested: Attested) -> Reached:
    story = Story(events)
    found = reached(story, proof.question.id, proof.question.direction)  # type: ignore[arg-type]
    things, classes = needed(story, found)
    for uri in things:
        if uri not in attested.things:
            raise ProofError("closure", f"{uri} ({found.roles[uri]})")
    for uri in classes:
        if uri not in attested.classes:
            raise ProofError("closure", f"{uri} as a lot, class or tie")
    return found


def _check_answer(proof: Proof, names: list[str], found: Reached) -> None:
    if proof.nodes != sorted(found.roles.items()):
        wrong = set(proof.nodes) ^ set(found.roles.items())
        raise ProofError(
            "answer",
            f"{min(wrong)[0]} is there and should not be, or is not and should"
            if wrong
            else "things are named twice, or out of order",
        )
    if proof.events != names:
        raise ProofError("answer", "the list of events is not that of the records")
    for name in set(proof.shown.get("nodes", ())) - found.roles.keys():
        raise ProofError("answer", f"the server's answer names {name}, to which no event leads")
    for name in set(proof.shown.get("events", ())) - set(names):
        raise ProofError("answer", f"the server's answer names event {name}, which is not there")
