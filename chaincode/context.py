"""One transaction: who submits it, and under which rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chaincode import keys
from chaincode.configuration import Config
from chaincode.endorsement import MOST_GUARDIANS
from chaincode.state import State
from chaincode.stub import Stub
from epcis.identifiers import identify
from epcis.trails import writer_of
from fabric.words.client_identity import ClientIdentity, client_identity

if TYPE_CHECKING:
    from chaincode.scans import Scan

FEWEST_GUARDIANS = 3
"""Of fewer no majority is left once one of them has gone."""
_DIGITS = 13


class Context:
    """The submitter, the channel's configuration, and the state."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.state = State(stub, self._guardians)
        self.client: ClientIdentity = client_identity(stub.get_creator())
        self.msp = self.client.msp_id
        self.role = self.client.attribute("role") or ""
        self.party = _party_of(self.client)
        self.now = stub.get_tx_timestamp().astimezone(UTC)
        self.scans: list[Scan] = []
        """What devices signed in the group of events that is being captured (``scans``)."""

    @cached_property
    def writer(self) -> str:
        """Who submits, whichever certificate they have now: 16 hexadecimal digits of MSP, subject and issuer."""
        return writer_of(self.msp, self.client.id)

    @cached_property
    def config(self) -> Config:
        """The channel's configuration."""
        return Config.from_record(self.state.get(keys.CONFIG))

    def _guardians(self) -> list[str] | None:
        admins = self.config.admins
        return list(admins[:MOST_GUARDIANS]) if len(admins) >= FEWEST_GUARDIANS else None

    @staticmethod
    def moment(text: str) -> datetime:
        """A time that the contract wrote."""
        return datetime.fromisoformat(text.replace("Z", "+00:00"))

    @cached_property
    def latest(self) -> datetime:
        """The latest event time that is not in the future, clocks being what they are."""
        return self.now + timedelta(seconds=self.config.clock_tolerance_seconds)

    @cached_property
    def enforces(self) -> bool:
        """Whether handling what another organisation holds is refused, not only flagged."""
        return self.config.enforces


def _party_of(client: ClientIdentity) -> str | None:
    """The party that an identity's certificate names (attribute ``pgln`` or ``gln``: digits or a link)."""
    value = client.attribute("pgln") or client.attribute("gln")
    if not value:
        return None
    return f"https://id.gs1.org/417/{value}" if value.isdigit() and len(value) == _DIGITS else value


def decimal(number: Any) -> Decimal:
    """A JSON number as it is written; floats by their shortest form, so that no binary dust gets in."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


def decimal_text(number: Decimal) -> str:
    """A quantity as text: no exponent, no needless zeros."""
    if number == 0:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def product_of(class_uri: str) -> str:
    """The product that a class of things belongs to: the GTIN of a lot, else the class itself."""
    known = identify(class_uri)
    return f"https://id.gs1.org/01/{known.gtin}" if known is not None and known.gtin else class_uri
