"""Who takes part: parties and places of a line, and the organisation that may speak for each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from sources.errors import SourceError
from sources.scms.lines import Line
from sources.scms.numbering import party_id, place_id

PROGRAMME = "Partnership for Supply Chain Management (PFSCM)"
DISTRIBUTION_CENTRE = "SCMS regional distribution centre"
_INVENTED_NUMBER = "identifier invented by Lotline on GS1's demonstration prefix 952"


@dataclass(frozen=True, slots=True)
class Organisations:
    """The network's members: which MSP speaks for the vendors, the programme and its clients."""

    vendors: str = "VendorsMSP"
    programme: str = "ProgrammeMSP"
    clients: str = "ClientsMSP"

    @property
    def all(self) -> tuple[str, str, str]:
        return self.vendors, self.programme, self.clients


@dataclass(frozen=True, slots=True)
class Party:
    """A party as the ledger's registry takes it."""

    id: str
    msp: str
    name: str

    def registration(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "provenance": _INVENTED_NUMBER}


@dataclass(frozen=True, slots=True)
class Place:
    """A place as the ledger's registry takes it; a position is a country's middle, never an address."""

    id: str
    party: Party
    name: str
    kind: str
    position: tuple[float, float] | None = None
    country: str | None = None
    note: str = ""

    def registration(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "id": self.id,
            "party": self.party.id,
            "name": self.name,
            "kind": self.kind,
        }
        if self.position is not None:
            document["latitude"], document["longitude"] = self.position
        if self.country is not None:
            document["country"] = self.country
        document["provenance"] = "; ".join(filter(None, (_INVENTED_NUMBER, self.note)))
        return document


@dataclass(frozen=True, slots=True)
class Actors:
    """Who hands a line to whom, and where."""

    sender: Party
    sender_place: Place
    receiver: Party
    receiver_place: Place
    site: Place | None
    """Where the goods were made, if the record says so."""


def actors(line: Line, organisations: Organisations) -> Actors:
    """The parties and places of a line."""
    consignee = Party(party_id("consignee", line.country), organisations.clients, f"SCMS consignees in {line.country}")
    sender = _programme(organisations) if line.from_rdc else _vendor(line.vendor, organisations)
    return Actors(
        sender=sender,
        sender_place=_distribution_centre(sender) if line.from_rdc else _dispatch(sender),
        receiver=consignee,
        receiver_place=_destination(line.country, consignee),
        site=None if line.site is None else _site(line.site, organisations),
    )


def registry(lines: Iterable[Line], organisations: Organisations) -> tuple[list[Party], list[Place]]:
    """Every party and place of the lines once, in order of appearance."""
    parties: dict[str, Party] = {}
    places: dict[str, Place] = {}
    for line in lines:
        who = actors(line, organisations)
        for place in (who.sender_place, who.receiver_place, who.site):
            if place is not None:
                _same_name(places.setdefault(place.id, place), place)
                _same_name(parties.setdefault(place.party.id, place.party), place.party)
    return list(parties.values()), list(places.values())


def _same_name(first: Party | Place, second: Party | Place) -> None:
    """Numbers are made from names; if two names ever made one number, two actors would become one."""
    if first.name != second.name:
        raise SourceError(
            f"{first.name!r} and {second.name!r} would both be numbered {first.id}",
            hint="Leave the rows of one of them out of the file.",
        )


def _programme(organisations: Organisations) -> Party:
    return Party(party_id("programme", PROGRAMME), organisations.programme, PROGRAMME)


def _vendor(name: str, organisations: Organisations) -> Party:
    return Party(party_id("vendor", name), organisations.vendors, name)


def _distribution_centre(programme: Party) -> Place:
    return Place(
        place_id("distribution centre", DISTRIBUTION_CENTRE), programme, DISTRIBUTION_CENTRE, "warehouse",
        note="the record does not say which distribution centre",
    )  # fmt: skip


def _dispatch(vendor: Party) -> Place:
    return Place(
        place_id("dispatch", vendor.name), vendor, f"{vendor.name}, dispatch", "warehouse",
        note="the record does not say where the vendor shipped from",
    )  # fmt: skip


def _destination(country: str, consignee: Party) -> Place:
    code, position = _geography().get(country, (None, None))
    return Place(
        place_id("destination", country), consignee, country, "destination", position, code,
        note="the record names the country only; the position is its middle",
    )  # fmt: skip


def _site(name: str, organisations: Organisations) -> Place:
    maker = Party(party_id("maker", name), organisations.vendors, f"{name} (operator of the site)")
    return Place(place_id("site", name), maker, name, "plant", note="the record names the site only")


@cache
def _geography() -> dict[str, tuple[str, tuple[float, float]]]:
    """Country name as the record writes it -> ISO 3166-1 code, latitude and longitude of its middle."""
    table = json.loads(files("sources.scms").joinpath("countries.json").read_text(encoding="utf-8"))
    return {name: (code, (latitude, longitude)) for name, (code, latitude, longitude) in table.items()}
