"""The ids of everything that has a name and stays."""

from __future__ import annotations

from readmodel.identifiers import clean
from readmodel.names import Names
from readmodel.tables import Party, Place, Thing, Transformation


class Ids:
    """Things, parties, places and makings by their names."""

    def __init__(self) -> None:
        self.things = Names(Thing, "uri")
        self.parties = Names(Party, "uri")
        self.places = Names(Place, "uri")
        self.transformations = Names(Transformation, "key")

    def forget(self) -> None:
        """After a failed transaction."""
        for names in vars(self).values():
            names.forget()

    def trim(self) -> None:
        """Between batches."""
        for names in vars(self).values():
            names.trim()

    def thing(self, uri: str | None) -> int | None:
        """The id of a thing the scan met."""
        return None if uri is None else self.things.known[clean(uri)]

    def party(self, uri: str | None) -> int | None:
        """The id of a party the scan met."""
        return None if uri is None else self.parties.known[clean(uri)]

    def place(self, uri: str | None) -> int | None:
        """The id of a place the scan met."""
        return None if uri is None else self.places.known[clean(uri)]
