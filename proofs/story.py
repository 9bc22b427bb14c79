"""What the events of a proof say, taken apart once: who was in what, what was made of what, what is of which lot. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from epcis import Event, InvalidDocument, parse_value
from epcis.formats import utc_microseconds
from epcis.identity import declaration_hex, hash_hex, identity, variant_hex
from epcis.trails import digest, lot_number, lot_of, named_classes, named_instances
from proofs.faults import ProofError

EVER, NEVER = "\uffff", ""
"""Later and earlier than every time. Times are UTC text of fixed width, whose order is time's order."""


class Window(NamedTuple):
    """From when to when something may have been in something else."""

    other: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Said:
    """An event's record, read. ``name`` are the digits of its name on the ledger."""

    name: str
    step: bytes
    event: Event
    msp: str
    time: str
    instances: list[str]
    classes: list[str]
    declares: str | None
    counts: bool
    device: str | None
    signature: dict[str, Any] | None

    @property
    def named(self) -> set[str]:
        """All that it names."""
        return {*self.instances, *self.classes}


def read_record(text: str) -> Said:
    """A record as the ledger has it, without ``n``. Raises ProofError ``record``."""
    raw = text.encode()
    try:
        record = orjson.loads(raw)
        event = parse_value(record["event"])
        msp, own, declares = record["msp"], record.get("hash"), record.get("declares")
        if event.error_declaration is not None:
            name = declaration_hex(event, msp)
        else:
            name = hash_hex(identity(event)) if own is None else variant_hex(event.hash, event.content_digest)
        return Said(
            name=name,
            step=digest(raw),
            event=event,
            msp=str(msp),
            time=utc_microseconds(event.event_time_text),
            instances=named_instances(event),
            classes=named_classes(event),
            declares=None if declares is None else hash_hex(declares),
            counts="declared" not in record.get("flags", ()),
            device=record.get("device"),
            signature=record.get("signature"),
        )
    except (InvalidDocument, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProofError("record", f"{text[:80]!r}…: {error}") from error


class Story:
    """Indexes over all that the events say together. What was declared in error says nothing."""

    def __init__(self, events: Iterable[Said]) -> None:
        events = list(events)
        wrong = {one.declares for one in events if one.declares is not None}
        told = [one for one in events if one.counts and one.declares is None and one.name not in wrong]
        self.carriers: dict[str, list[Window]] = defaultdict(list)
        self.contents: dict[str, list[Window]] = defaultdict(list)
        self.made: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        """By side ("input", "output") and thing: the makings that it had part in, and when."""
        self.parts: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        """By making and side: things, and when."""
        self.ties: dict[str, str] = {}
        """By making, the transformationID of its events."""
        self.lots: dict[str, dict[str, None]] = defaultdict(dict)
        self.members: dict[str, dict[str, None]] = defaultdict(dict)
        self.as_instance = {uri for one in events for uri in one.instances}
        self.as_class = {uri for one in events for uri in one.classes}
        for one in told:
            self._lots(one)
            if one.event.type == "TransformationEvent":
                self._making(one)
        self._packing(told)

    def _lots(self, one: Said) -> None:
        event = one.event
        pairs = list(event.lots_named.items())
        if event.ilmd and (number := lot_number(event)) is not None:
            begun = event.output_epc_list if event.type == "TransformationEvent" else event.epc_list
            pairs += [(uri, lot) for uri in begun if (lot := lot_of(uri, number)) is not None]
        for uri, lot in pairs:
            self.lots[str(uri)][str(lot)] = None
            self.members[str(lot)][str(uri)] = None

    def _making(self, one: Said) -> None:
        event = one.event
        key = one.name if event.transformation_id is None else f"{one.msp} {event.transformation_id}"
        if event.transformation_id is not None:
            self.ties[key] = str(event.transformation_id)
        for side, named in (
            ("input", [*event.input_epc_list, *(part.epc_class for part in event.input_quantity_list)]),
            ("output", [*event.output_epc_list, *(part.epc_class for part in event.output_quantity_list)]),
        ):
            for uri in dict.fromkeys(map(str, named)):
                self.made[(side, uri)].append((key, one.time))
                self.parts[(key, side)].append((uri, one.time))

    def _packing(self, told: Sequence[Said]) -> None:
        entered: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        left: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        emptied: dict[tuple[str, str], list[str]] = defaultdict(list)
        for one in sorted(told, key=lambda said: said.time):
            event = one.event
            if event.type not in ("AggregationEvent", "AssociationEvent") or event.parent_id is None:
                continue
            kind, parent = event.type, str(event.parent_id)
            children = [*event.child_epcs, *(part.epc_class for part in event.child_quantity_list)]
            if event.action == "DELETE" and not children:
                emptied[(kind, parent)].append(one.time)
            for child in dict.fromkeys(map(str, children)):
                (left if event.action == "DELETE" else entered)[(kind, child, parent)].append(one.time)
        for kind, child, parent in dict.fromkeys([*entered, *left]):
            place = (kind, child, parent)
            ends = sorted([*left[place], *emptied[(kind, parent)]])
            if child in self.as_class:
                windows = _lasting(entered[place], left[place], emptied[(kind, parent)])
            else:
                windows = _stays(entered[place], left[place], ends)
            for low, high in windows:
                self.carriers[child].append(Window(parent, low, high))
                if kind == "AggregationEvent":
                    self.contents[parent].append(Window(child, low, high))


def _stays(entered: Sequence[str], left: Sequence[str], ends: Sequence[str]) -> list[tuple[str, str]]:
    """Of one thing in one parent: from each packing to the next unpacking; an unpacking that follows none since it was last taken out tells
    of a stay that nobody said the beginning of."""
    windows = []
    for low in entered:
        after = bisect_right(ends, low)
        windows.append((low, ends[after] if after < len(ends) else EVER))
    for n, end in enumerate(left):
        before = left[n - 1] if n else NEVER
        if not any(before <= low <= end for low in entered):
            windows.append((NEVER, end))
    return windows


def _lasting(entered: Sequence[str], left: Sequence[str], emptied: Sequence[str]) -> list[tuple[str, str]]:
    """Of a quantity in one parent, of which some may be left until everything is taken out."""
    if not entered:
        return [(NEVER, left[-1])] if left else []
    low = NEVER if left and left[0] <= entered[0] else entered[0]
    last = max(left, default=NEVER)
    later = [time for time in emptied if time > entered[-1]]
    return [(low, max(later[0] if later else NEVER, last) if later or last > entered[-1] else EVER)]
