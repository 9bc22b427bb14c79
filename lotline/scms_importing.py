"""The record onto the ledger: parties and places first, then what senders said, then what clients said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from epcis import parse_event
from instance.settings import Settings
from lotline.delivery import JOB_EVENTS, Counts, Delivery
from lotline.handing_over import hand_over
from lotline.registering import register_new
from sources.scms.actors import Organisations, registry
from sources.scms.events import Spoken, events_of
from sources.scms.lines import Line


@dataclass
class Report:
    """What an import did."""

    lines: int = 0
    parties: int = 0
    places: int = 0
    steps: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    refusals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return sum(counts.rejected for counts in self.steps.values())


async def import_lines(
    settings: Settings,
    delivery: Delivery,
    lines: Sequence[Line],
    organisations: Organisations,
    *,
    as_of: date | None = None,
    progress: Callable[[int], None] = lambda events: None,
) -> Report:
    """Put what was known of ``lines`` by ``as_of`` on the ledger; ``progress`` is told of every event done.

    Each event is its own statement: one that the contract refuses is reported and does not hold up others.
    """
    told = [line for line in lines if next(events_of(line, organisations, as_of), None) is not None]
    report = Report(lines=len(told))
    parties, places = registry(told, organisations)
    report.parties, report.places = await register_new(
        settings,
        delivery,
        [(party.msp, party.registration()) for party in parties],
        [(place.party.msp, place.registration()) for place in places],
    )
    spoken = [said for line in told for said in events_of(line, organisations, as_of)]
    # Clients accept what the ledger knows already: a lot must have its identity before it arrives.
    await _capture(delivery, (said for said in spoken if said.step != "acceptance"), report, progress)
    await _capture(delivery, (said for said in spoken if said.step == "acceptance"), report, progress)
    return report


async def _capture(
    delivery: Delivery, spoken: Iterable[Spoken], report: Report, progress: Callable[[int], None]
) -> None:
    def judged(said: Spoken, verdict: dict[str, Any]) -> None:
        report.steps[said.step].count(verdict["verdict"])
        if verdict["verdict"] == "rejected":
            report.refusals.append(_refusal(said, verdict))

    await hand_over(delivery, _parts(spoken), lambda said: parse_event(said.event).to_stored(), judged, progress)


def _parts(spoken: Iterable[Spoken]) -> Iterator[tuple[str, list[Spoken]]]:
    parts: dict[str, list[Spoken]] = defaultdict(list)
    for said in spoken:
        part = parts[said.msp]
        part.append(said)
        if len(part) == JOB_EVENTS:
            yield said.msp, parts.pop(said.msp)
    yield from parts.items()


def _refusal(said: Spoken, verdict: dict[str, Any]) -> dict[str, Any]:
    record = said.event["lotline:provenance"]["lotline:recordId"]
    return {
        "id": record,
        "step": said.step,
        "code": verdict.get("code", ""),
        "reason": verdict.get("detail", ""),
    }
