"""Every kind of exception: how bad it is, what opens it and what closes it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["high", "medium", "low"]


class Kind(NamedTuple):
    """A kind of exception. Whatever opened it, an error declaration of the event that did closes it too."""

    severity: Severity
    title: str
    opened_by: str
    closed_by: str


KINDS: dict[str, Kind] = {
    "shortage": Kind("high", "Less arrived than left", "less was accepted than released", "the rest, or a correction"),
    "overage": Kind(
        "medium", "More arrived than left", "more was accepted than released", "a release of it, or a correction"
    ),
    "taken_back": Kind(
        "high",
        "Taken back and accepted",
        "a shipping was taken back that was accepted under the same document",
        "claims that agree",
    ),
    "damaged": Kind("high", "Arrived damaged", "accepted with disposition `damaged`", "another disposition told later"),
    "unannounced": Kind("medium", "Arrived unannounced", "accepted, and nobody has released it", "the release"),
    "undelivered": Kind("high", "Never arrived", "released again without having been accepted", "the acceptance"),
    "uncommissioned": Kind(
        "low", "Of unknown origin", "nobody reported how the thing or lot began", "its commissioning"
    ),
    "wrong_consignee": Kind(
        "high", "Arrived at another", "accepted by another than it was released to", "claims that agree"
    ),
    "wrong_lot": Kind("high", "Another lot arrived", "accepted as another lot than was released", "claims that agree"),
    "custody": Kind(
        "high",
        "Not theirs to handle",
        "handled or shipped by who did not hold it",
        "claims that explain it, or handling it rightly later",
    ),
    "aggregation": Kind(
        "medium", "In two things at once", "packed elsewhere without being taken out", "an unpacking before that"
    ),
    "not_packed": Kind(
        "medium", "Taken out of what it was not in", "more taken out of a parent than was put in", "the packing"
    ),
    "overdrawn": Kind(
        "high", "More given away than there was", "a balance below zero", "a balance that is not negative"
    ),
    "after_end": Kind(
        "high",
        "Used after its end",
        "used after it was consumed, destroyed, decommissioned or sold",
        "a return (disposition `returned`), where it was sold",
    ),
    "device_gap": Kind(
        "medium",
        "Scans that did not arrive",
        "a device signed events before one that arrived, and they did not",
        "the events, in any order, or an admin who says what became of them",
    ),
    "device_fork": Kind(
        "high",
        "A device twice",
        "a device signed two events in one place of its chain: its key was cloned, or it was set back",
        "an admin who says what happened, or the device's revocation",
    ),
    "device_replay": Kind(
        "low",
        "Signed twice",
        "a device signed an event that it had signed before in another place of its chain",
        "an admin who says what happened, or the device's revocation",
    ),
    "declared_unknown": Kind(
        "low",
        "A correction without its event",
        "an error declaration of an event that is not on the ledger",
        "the event",
    ),
}
