"""Why a proof is not believed: one word for each kind, its exit code, and what the word means."""

from __future__ import annotations

KINDS = {
    "format": "this is not a proof of a form that is known",
    "roots": "none of those who signed belongs to an organisation whose roots were given",
    "signature": "a signature is not of the one who is said to have signed",
    "question": "what was signed answers another question than this one",
    "quorum": "too few organisations signed",
    "trail": "events are missing, surplus, changed or out of order",
    "record": "a record is not an event's",
    "device": "a reading device did not sign what the event says",
    "closure": "something that the events tie to the start has no trail: a branch may have been left out",
    "answer": "the events give another answer",
    "stale": "it is older than was asked for",
}
CODES = {word: 10 + number for number, word in enumerate(KINDS)}
"""Exit codes of ``lotline verify``."""


class ProofError(Exception):
    """``word`` is one of ``KINDS``; the message says what exactly is wrong."""

    def __init__(self, word: str, detail: str) -> None:
        super().__init__(f"{word}: {KINDS[word]}: {detail}")
        self.word = word
        self.detail = detail
