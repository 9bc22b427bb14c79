"""What ``capture`` answers.

Every peer keeps the answer with the transaction for ever. So what is the same for most events is not said of each: who is
not listed among the verdicts was accepted, or rolled back with its group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chaincode.rejection import Rejection
from epcis.prehash import digest_uri

Verdict = dict[str, Any]
"""``event`` (hash URI, empty where there is no event to name), ``verdict``, and for a rejection ``code``, ``detail``, and where
they are known ``field``, ``item`` (what it was about), ``parties`` and ``organisations`` (whom the attempt concerns)."""

_ACCEPTED: Verdict = {"verdict": "accepted"}
_ROLLED_BACK: Verdict = {
    "verdict": "rejected",
    "code": "rolled_back",
    "detail": "another event of the same document was rejected, and the document was to be captured whole or not at all",
}


def duplicate(n: int) -> Verdict:
    """Of the ``n``-th event of a group, which is on the ledger already."""
    return {"n": n, "verdict": "duplicate"}


def rejected(n: int, rejection: Rejection) -> Verdict:
    """Of the ``n``-th event of a group, which breaks a rule."""
    verdict: Verdict = {"n": n, "verdict": "rejected", "code": rejection.code, "detail": rejection.detail}
    if rejection.field is not None:
        verdict["field"] = rejection.field
    if rejection.item is not None:
        verdict["item"] = rejection.item
    if rejection.parties:
        verdict["parties"] = rejection.parties
    if rejection.organisations:
        verdict["organisations"] = rejection.organisations
    return verdict


def answer(group: str, events: Sequence[str], verdicts: Sequence[Verdict], *, committed: bool) -> dict[str, Any]:
    """For one group: the hexadecimal hashes of its events, and the verdicts of those that are not like the others."""
    return {"id": group, "committed": committed, "events": events, "verdicts": verdicts}


def verdicts_of(group: Mapping[str, Any]) -> list[Verdict]:
    """A verdict for each event of a group, from the answer of a contract of this version or of one before it."""
    if "events" not in group:
        whole: list[Verdict] = group["verdicts"]
        return whole
    usual = _ACCEPTED if group["committed"] else _ROLLED_BACK
    found = [{"event": digest_uri(event) if event else "", **usual} for event in group["events"]]
    for verdict in group["verdicts"]:
        n = verdict["n"]
        found[n] = {"event": found[n]["event"], **{name: value for name, value in verdict.items() if name != "n"}}
    return found
