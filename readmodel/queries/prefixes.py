"""GS1 company prefixes in the registry, and who has registered numbers that begin with them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, not_
from sqlmodel import col

from epcis.identifiers import InvalidIdentifier, parse, published_prefix_length
from readmodel.queries.paging import pick
from readmodel.tables import Party, Place


@dataclass(frozen=True, slots=True)
class PrefixRecord:
    """A company prefix, and how many parties and places each organisation has registered under it."""

    prefix: str
    organisations: dict[str, int]

    @property
    def contested(self) -> bool:
        """Whether several organisations use it: for people to look at, as that may be right."""
        return len(self.organisations) > 1


def prefixes(connection: Connection) -> list[PrefixRecord]:
    """All prefixes in the registry, those that several organisations use first. Reads the whole registry."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for table in (Party, Place):
        query = pick(col(table.uri), col(table.msp)).where(col(table.registered), not_(col(table.adopted)))
        for uri, msp in connection.execute(query):
            prefix = prefix_of(uri)
            if prefix is not None and msp is not None:
                found[prefix][msp] += 1
    records = [PrefixRecord(prefix, dict(sorted(by_msp.items()))) for prefix, by_msp in found.items()]
    return sorted(records, key=lambda record: (not record.contested, record.prefix))


def prefix_of(uri: str) -> str | None:
    """The company prefix of a party or place; None where GS1 publishes none."""
    try:
        digits = parse(uri).key
    except InvalidIdentifier:
        return None
    length = published_prefix_length(digits)
    return None if length is None else digits[:length]
