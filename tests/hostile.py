"""Documents as somebody sends them who means harm, or has a bad day: much of it valid, all of it odd.

    from tests.hostile import Hostile
    body = Hostile(seed=7).document()

The same seed gives the same documents. Identifiers, times and places are few, so that events meet: packed in circles, ended
twice, shipped before they were made, declared in error before they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import orjson

from epcis.identifiers import check_digit

Json = dict[str, Any]


def _checked(digits: str) -> str:
    return digits + str(check_digit(digits))


_GTIN = _checked("0952000112233")
_LINK = "https://id.gs1.org"
_ITEMS, _PALLETS = 7, 4
"""So many are about at a time; now and then one is forgotten and a new one comes."""


def item(n: int) -> str:
    return f"{_LINK}/01/{_GTIN}/21/S{n}"


def pallet(n: int) -> str:
    return f"{_LINK}/00/{_checked(f'0952000{n:010d}')}"


CLASSES = (
    *(f"{_LINK}/01/{_GTIN}/10/B{n}" for n in range(3)),
    f"{_LINK}/01/{_GTIN}",
    "urn:epc:idpat:sgtin:952000.0112233.*",
)
PLACES = tuple(f"{_LINK}/414/{_checked(f'952000{n:06d}')}" for n in range(3))
PARTIES = tuple(f"{_LINK}/417/{_checked(f'952000{n:06d}')}" for n in range(3))
_ODD = (
    "urn:epc:id:sgtin:952000.0112233.1",
    "urn:epc:class:lgtin:952000.0112233.B%2F1",
    f"{_LINK}/01/{_GTIN}/22/V2/10/B1/21/S9",
    f"{_LINK}/01/{_GTIN}/21/S9/10/B1",
    f"{_LINK}/01/{_GTIN}/10/A%2FB/21/%F0%9F%90%9F",
    f"{_LINK}/01/{_GTIN}?10=B1&21=S1",
    f"HTTPS://ID.GS1.ORG/01/{_GTIN}/21/S1",
    f"{_LINK}/01/{_GTIN[1:]}/21/S1",
    f"{_LINK}/01/{_GTIN}/21/",
    f"{_LINK}/01//10/B1",
    f"{_LINK}/8003/{_GTIN}R1",
    f"{_LINK}/8004/9520001",
    f"{_LINK}/253/{_checked('952000000001')}D1",
    "urn:epc:tag:sgtin-96:3.952000.0112233.5",
    "https://example.com/deep/er?x=1#y",
    "urn:uuid:8a1f0f6e-3f0e-4d0a-9d5e-0c0f2a6b7c11",
    "x:" + "n" * 600,
    "urn:x:%00",
    "x:\u00e9",
    "",
    "no uri",
)
_TIMES = (
    "2025-04-01T10:00:00Z",
    "2025-04-01T10:00:00+00:00",
    "2025-04-01T10:00:00.123456789Z",
    "2016-12-31T23:59:60Z",
    "2016-12-31T18:59:60.7-05:00",
    "1999-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59-23:59",
    "1582-10-10t00:00:00-00:00",
    "2025-02-30T00:00:00Z",
    "2025-04-01",
    "1743501600",
    "",
)
_NUMBERS: tuple[Any, ...] = (
    *(
        0,
        -0.0,
        1,
        -1,
        1.5,
        3,
        10,
        0.1,
        1e-7,
        1e-300,
        1e15,
        9e12,
        10**18,
        2**63,
        2**64 - 1,
        1e22,
        1e308,
        -1e308,
        123456789012.123456,
    ),
    *("7", "", None, True),
)
_UNITS = ("KGM", "GRM", "LTR", "H87", "EA", "MTR", "ZZ9", "AA", "kg", "", "K" * 300)
_STEPS = (
    *("commissioning", "shipping", "receiving", "accepting", "void_shipping", "packing", "unpacking", "storing"),
    *("retail_selling", "dispensing", "consuming", "destroying", "decommissioning", "inspecting"),
    *("https://example.com/step", "no_such_step", ""),
)
_DISPOSITIONS = ("active", "in_transit", "damaged", "recalled", "returned", "expired", "https://example.com/d")
_JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**60, 1e300, "", "x", "\x00", "\u202e\U0001f41f", "=1+1", "<b>", "a" * 2_000),
    *(
        [],
        {},
        [1],
        [None],
        [[[]]],
        {"id": 5},
        {"id": None},
        {"type": [1]},
        [{"epcClass": 5}],
        [{"epcClass": "x", "quantity": "y"}],
    ),
    *({"a": {"b": [None]}}, [{"bizTransaction": 5}], [{"source": "x", "type": 5}], item(0), [item(0)]),
)
_MEMBERS = (
    *(
        "readPoint",
        "bizLocation",
        "action",
        "bizStep",
        "disposition",
        "epcList",
        "quantityList",
        "parentID",
        "childEPCs",
    ),
    *(
        "childQuantityList",
        "inputEPCList",
        "outputEPCList",
        "inputQuantityList",
        "outputQuantityList",
        "bizTransactionList",
    ),
    *("sourceList", "destinationList", "transformationID", "ilmd", "sensorElementList", "persistentDisposition"),
    *("certificationInfo", "recordTime", "eventID"),
)
CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://example.com/"}]


class Hostile:
    """A source of documents; ``oddity`` from 0 (all of it plausible) to 1."""

    def __init__(self, seed: int, oddity: float = 0.03) -> None:
        self.random = Random(seed)
        self._oddity = oddity
        self._said: list[Json] = []
        self._first = 0

    def document(self, most: int = 2) -> bytes:
        """A document of some events, as JSON text."""
        events = [self.event() for _ in range(self.random.randint(1, most))]
        document: Json = {
            "@context": CONTEXT,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2025-05-01T00:00:00Z",
            "epcisBody": {"eventList": events},
        }
        if self._odd():
            document[self._pick(tuple(document))] = self._pick(_JUNK)
        if self._odd():
            document["epcisHeader"] = self._header()
        try:
            return orjson.dumps(document)
        except TypeError:  # numbers that orjson does not write
            return orjson.dumps(document, default=str)

    def event(self) -> Json:
        """One event: a new one, one told before, told otherwise, or declared to be in error."""
        draw = self.random.random()
        if self._said and draw < 0.12:
            return self._again(dict(self._pick(self._said)))
        event = self._new()
        if self.random.random() < 0.3:
            self._said.append(event)
            del self._said[:-60]
        if draw > 0.95:  # its declaration before it
            return {**event, **self._declaration()}
        return event

    def _again(self, event: Json) -> Json:
        choice = self.random.random()
        if choice < 0.5:
            event.update(self._declaration())
        elif choice < 0.75:
            event["eventID"] = f"urn:uuid:{self.random.randrange(10**6):032d}"
        elif choice < 0.9 and "quantityList" in event:
            event["quantityList"] = [self._quantity()]
        return event

    def _declaration(self) -> Json:
        declared: Json = {
            "declarationTime": self._time(),
            "reason": self._pick(("did_not_occur", "incorrect_data")),
        }
        if self._odd(3):
            declared["correctiveEventIDs"] = self._pick((["urn:x:y"], [], [5], "x", ["urn:x:y"] * 3))
        return {"errorDeclaration": declared}

    def _new(self) -> Json:
        self._first += self.random.random() < 0.25
        kind = self._pick(
            ("ObjectEvent",) * 5
            + ("AggregationEvent",) * 4
            + ("TransformationEvent", "TransactionEvent", "AssociationEvent")
        )
        event: Json = {
            "type": kind,
            "eventTime": self._time(),
            "eventTimeZoneOffset": self._pick(("+00:00", "+05:30", "-14:00")),
        }
        if self._odd():
            return self._own(event)
        getattr(self, f"_{kind}")(event)
        if kind != "TransactionEvent" and self.random.random() < 0.9:
            event["bizStep"] = self._step(kind, event.get("action"))
        self._around(event)
        for _ in range(2):
            if self._odd(0.5):
                event[self._pick((*_MEMBERS, "ex:own", "https://example.com/own", "type", "eventTime"))] = self._junk(0)
        if self._odd(0.5):
            event.pop(self._pick(tuple(event)))
        return event

    def _own(self, event: Json) -> Json:
        """An event of a type of its own, with members that look like the standard's."""
        event["type"] = self._pick(("https://example.com/TemperatureEvent", "ex:Thing", "urn:x:Event", "NoEvent", 5))
        for member in _MEMBERS:
            if self.random.random() < 0.2:
                event[member] = self._junk(0)
        return event

    # --- types

    def _ObjectEvent(self, event: Json) -> None:  # noqa: N802
        event["action"] = self._pick(("ADD", "OBSERVE", "OBSERVE", "OBSERVE", "DELETE"))
        if self.random.random() < 0.75:
            event["epcList"] = self._things()
        if self.random.random() < 0.4:
            event["quantityList"] = self._quantities()
        if event["action"] == "ADD" and self.random.random() < 0.3:
            event["ilmd"] = {
                "ex:" + self._pick(("a", "b")): self._junk(0),
                "cbvmda:lotNumber": self._pick(("B1", 5, "")),
            }

    def _AggregationEvent(self, event: Json) -> None:  # noqa: N802
        event["action"] = self._pick(("ADD", "ADD", "DELETE", "OBSERVE"))
        if self.random.random() < 0.95:
            event["parentID"] = self._thing()
        if self.random.random() < 0.8:
            event["childEPCs"] = self._things()
        if self.random.random() < 0.4:
            event["childQuantityList"] = self._quantities()

    _AssociationEvent = _AggregationEvent

    def _TransformationEvent(self, event: Json) -> None:  # noqa: N802
        for side in ("input", "output"):
            if self.random.random() < 0.7:
                event[f"{side}EPCList"] = self._things()
            if self.random.random() < 0.6:
                event[f"{side}QuantityList"] = self._quantities()
        if self.random.random() < 0.3:
            event["transformationID"] = self._pick(("urn:x:t1", "urn:x:t2", self._identifier()))

    def _TransactionEvent(self, event: Json) -> None:  # noqa: N802
        event["action"] = self._pick(("ADD", "OBSERVE", "DELETE"))
        event["bizTransactionList"] = self._documents()
        event["epcList"] = self._things()

    # --- parts

    def _around(self, event: Json) -> None:
        shares: tuple[tuple[str, float, Any], ...] = (
            ("readPoint", 0.5, lambda: {"id": self._place()}),
            ("bizLocation", 0.5, lambda: {"id": self._place()}),
            ("disposition", 0.4, lambda: self._pick(_DISPOSITIONS)),
            ("sourceList", 0.4, lambda: self._ends("source")),
            ("destinationList", 0.4, lambda: self._ends("destination")),
            ("bizTransactionList", 0.3, self._documents),
            ("eventID", 0.2, lambda: self._pick((f"urn:uuid:{self.random.randrange(400):032d}", self._identifier()))),
            ("persistentDisposition", 0.1, lambda: {"set": ["recalled"], "unset": [] if self._odd() else ["expired"]}),
            ("sensorElementList", 0.1, self._sensors),
            ("ex:note", 0.1, lambda: self._junk(0)),
        )
        for member, share, make in shares:
            fits = member != "persistentDisposition" or event["type"] in ("ObjectEvent", "TransformationEvent")
            if fits and self.random.random() < share:
                event.setdefault(member, make())

    def _time(self) -> Any:
        if self._odd():
            return self._pick((*_TIMES, *_JUNK[:6]))
        random = self.random
        return f"2025-{random.randint(1, 4):02d}-{random.randint(1, 28):02d}T{random.randint(0, 23):02d}:00:00Z"

    def _step(self, kind: str, action: Any) -> Any:
        if self._odd():
            return self._pick(_STEPS)
        if kind == "AggregationEvent":
            return "unpacking" if action == "DELETE" else "packing"
        if action == "ADD":
            return "commissioning"
        return self._pick(_STEPS[:14])

    def _things_about(self) -> tuple[str, ...]:
        pallets = self._first // 3
        items = [item(n) for n in range(self._first, self._first + _ITEMS)]
        return (*items, *(pallet(n) for n in range(pallets, pallets + _PALLETS)))

    def _identifier(self) -> Any:
        return (
            self._pick((*_ODD, *self._things_about(), *CLASSES, *PLACES, 5, None))
            if self._odd(3)
            else self._pick(self._things_about())
        )

    def _thing(self) -> Any:
        return self._identifier() if self._odd() else self._pick(self._things_about())

    def _things(self) -> list[Any]:
        found = self.random.sample(self._things_about(), self.random.randint(0 if self._odd() else 1, 4))
        return [*found, self._identifier()] if self._odd() else list(found)

    def _place(self) -> Any:
        return self._identifier() if self._odd() else self._pick(PLACES)

    def _quantity(self) -> Any:
        number = self.random.randrange(3)
        element: Json = {"epcClass": self._identifier() if self._odd() else CLASSES[number]}
        if self.random.random() < 0.9:
            element["quantity"] = self._pick(_NUMBERS) if self._odd(2) else self.random.choice((1, 2, 5, 10, 2.5))
        if number:
            element["uom"] = self._pick(_UNITS) if self._odd() else self._pick(_UNITS[:2])
        return element

    def _quantities(self) -> list[Any]:
        return [self._quantity() for _ in range(self.random.randint(1, 3))]

    def _ends(self, member: str) -> list[Any]:
        kinds = ("owning_party", "possessing_party", "location", "https://example.com/t")
        ends = [
            {"type": kind, member: self._pick(PLACES if kind == "location" else PARTIES)}
            for kind in self.random.sample(kinds, 2)
        ]
        if self._odd():
            ends.append({"type": self._pick(kinds), member: self._identifier()})
        return ends

    def _documents(self) -> list[Any]:
        return [
            {"type": "desadv", "bizTransaction": f"urn:x:d{self.random.randint(1, 4)}"},
            *([{"bizTransaction": self._identifier()}] if self._odd() else []),
        ]

    def _sensors(self) -> list[Any]:
        report = {
            "type": "Temperature",
            "value": self._pick(_NUMBERS),
            "uom": self._pick(("CEL", "x")),
            "time": self._time(),
        }
        return [{"sensorReport": [report], **({"ex:s": self._junk(0)} if self._odd(3) else {})}]

    def _header(self) -> Any:
        vocabulary = {
            "type": "urn:epcglobal:epcis:vtype:EPCClass",
            "vocabularyElementList": [{"id": CLASSES[3], "attributes": self._junk(0)}],
        }
        return {"epcisMasterData": {"vocabularyList": [vocabulary, self._junk(0)]}}

    def _junk(self, depth: int) -> Any:
        draw = self.random.random()
        if depth > 3 or draw < 0.6:
            return self._pick(_JUNK)
        if draw < 0.8:
            return {
                self._pick(("ex:a", "ex:b", "x", "", "type", "id", "@value")): self._junk(depth + 1) for _ in range(2)
            }
        return [self._junk(depth + 1) for _ in range(self.random.randint(0, 3))]

    def _pick(self, choices: Sequence[Any]) -> Any:
        return self.random.choice(choices)

    def _odd(self, times: float = 1) -> bool:
        return self.random.random() < self._oddity * times
