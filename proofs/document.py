"""A proof as a file: one JSON object, with nothing beside it. Read strictly: what is not exactly of the form is refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from proofs.faults import ProofError

FORMAT = "lotline-proof/1"
LARGEST = 1 << 28
"""Bytes of a proof."""
NOT_SHOWN = (
    "That goods did what the events say. Events that were never captured, or captured elsewhere.",
    "More than the organisations that signed say of their ledgers: if all of them lie together, an honest peer or the whole chain (`lotline audit`) finds them out.",
    "When things happened, beyond the word of who said so.",
    "That nothing newer exists: it is as of the block that is named, and fresh only if the nonce was yours.",
    "That a certificate was not revoked since the roots were taken.",
    "Which part of a lot went where: that is worked out from the events shown, all of which are here.",
)
ONE_PARTY = "That several organisations agree: on an embedded ledger one party holds the keys of all."
QUESTIONS = ("trace", "thing", "handoff", "exception")
DIRECTIONS = ("both", "upstream", "downstream", "none")


@dataclass(frozen=True)
class Question:
    """What was asked. ``id`` is the thing that the walk starts at, ``subject`` the handoff or exception if it is about one."""

    kind: str
    id: str
    direction: str
    nonce: str
    subject: str | None = None


@dataclass(frozen=True)
class Proof:
    """A question, its answer, and all that shows it. ``trails``: (URI, writer or "", places in ``records``)."""

    question: Question
    nodes: list[tuple[str, str]]
    """Every thing that the walk reaches, and how it matters."""
    events: list[str]
    """Names (hexadecimal digits) of all events of these."""
    records: list[str]
    trails: list[tuple[str, str, list[int]]]
    attestation: bytes
    checkpoints: list[bytes] = field(default_factory=list)
    not_shown: list[str] = field(default_factory=lambda: list(NOT_SHOWN))
    shown: dict[str, list[str]] = field(default_factory=dict)
    """What the server's own answer named: ``nodes`` and ``events``."""

    def to_json(self) -> bytes:
        """The file."""
        document = {
            "format": FORMAT,
            "question": {name: value for name, value in asdict(self.question).items() if value is not None},
            "answer": {"nodes": self.nodes, "events": self.events, "shown": self.shown},
            "records": self.records,
            "trails": self.trails,
            "attestation": {
                "kind": "signed",
                "payload": base64.b64encode(self.attestation).decode(),
                "checkpoints": [base64.b64encode(one).decode() for one in self.checkpoints],
            },
            "notShown": self.not_shown,
        }
        said = _written(document)
        return _written({**document, "digest": hashlib.sha256(said).hexdigest()})


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_proof(raw: bytes) -> Proof:
    """Raises ProofError ``format`` saying where it is not a proof, exactly as ``Proof.to_json`` writes it: a file that was damaged on its way is
    told from one that somebody made up."""
    if len(raw) > LARGEST:
        raise ProofError("format", f"it has more than {LARGEST >> 20} MiB")
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_repetition, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ProofError("format", f"no JSON: {error}") from error
    top = _members(
        document, "", {"format", "question", "answer", "records", "trails", "attestation", "notShown", "digest"}
    )
    if top["format"] != FORMAT:
        raise ProofError("format", f"format is {top['format']!r}, and this program knows {FORMAT}")
    answer = _members(top["answer"], "answer", {"nodes", "events", "shown"})
    shown = _members(answer["shown"], "answer/shown", set(), {"nodes", "events"})
    signed = _members(top["attestation"], "attestation", {"kind", "payload", "checkpoints"})
    if signed["kind"] != "signed":
        raise ProofError("format", f"an attestation is 'signed', not {signed['kind']!r}")
    records = _texts(top["records"], "records")
    proof = Proof(
        _question(top["question"]),
        [_pair(one) for one in _list(answer["nodes"], "answer/nodes")],
        _texts(answer["events"], "answer/events"),
        records,
        [_trail(one, len(records)) for one in _list(top["trails"], "trails")],
        _base64(signed["payload"]),
        [_base64(one) for one in _list(signed["checkpoints"], "attestation/checkpoints")],
        _texts(top["notShown"], "notShown"),
        {name: _texts(listed, f"answer/shown/{name}") for name, listed in shown.items()},
    )
    if proof.not_shown not in (list(NOT_SHOWN), [*NOT_SHOWN, ONE_PARTY]):
        raise ProofError("format", "notShown is not what a proof of this form says of itself")
    if proof.to_json() != raw:
        raise ProofError("format", "it was changed after it was written: its digest is another")
    return proof


def _question(found: Any) -> Question:
    said = _members(found, "question", {"kind", "id", "direction", "nonce"}, {"subject"})
    question = Question(**{name: _text(value, f"question/{name}") for name, value in said.items()})
    if question.kind not in QUESTIONS or question.direction not in DIRECTIONS:
        raise ProofError("format", f"question: no {question.kind} {question.direction} is known")
    return question


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands there twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _members(found: Any, where: str, must: set[str], may: set[str] | frozenset[str] = frozenset()) -> dict[str, Any]:
    if not isinstance(found, dict) or not must <= found.keys() <= must | may:
        raise ProofError("format", f"{where or 'the whole'} has the members {', '.join(sorted(must | may))}")
    return found


def _list(found: Any, where: str) -> list[Any]:
    if not isinstance(found, list):
        raise ProofError("format", f"{where} is a list")
    return found


def _text(found: Any, where: str) -> str:
    if not isinstance(found, str) or any("\ud800" <= char <= "\udfff" for char in found):
        raise ProofError("format", f"{where} is text")
    return found


def _texts(found: Any, where: str) -> list[str]:
    return [_text(one, where) for one in _list(found, where)]


def _pair(found: Any) -> tuple[str, str]:
    uri, role = _texts(found, "answer/nodes") if isinstance(found, list) and len(found) == 2 else ("", "")
    if not role:
        raise ProofError("format", "answer/nodes are pairs of an identifier and how it matters")
    return uri, role


def _trail(found: Any, records: int) -> tuple[str, str, list[int]]:
    if not isinstance(found, list) or len(found) != 3:
        raise ProofError("format", "trails are an identifier, a writer and places in records")
    places = _list(found[2], "trails")
    if not all(type(place) is int and 0 <= place < records for place in places):
        raise ProofError("format", "trails name places that records do not have")
    return _text(found[0], "trails"), _text(found[1], "trails"), places


def _base64(found: Any) -> bytes:
    try:
        return base64.b64decode(_text(found, "attestation/payload"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProofError("format", f"attestation/payload is no base64: {error}") from error
