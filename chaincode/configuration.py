"""The channel's configuration: which rules hold, and which organisations administer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from chaincode.rejection import Malformed
from chaincode.state import Record

CustodyPolicy = Literal["flag", "enforce"]
_DAY = 86_400
_MOST_ADMINS = 100
_FIELDS = ("custodyPolicy", "clockToleranceSeconds", "admins")


@dataclass(frozen=True, slots=True)
class Config:
    """What nobody has configured has these values."""

    custody_policy: CustodyPolicy = "flag"
    clock_tolerance_seconds: int = 300
    admins: tuple[str, ...] = ()
    """Organisations that administer the channel, in alphabetical order. None: whoever configures first will."""

    @property
    def enforces(self) -> bool:
        """Whether handling what another organisation holds is refused, not only flagged."""
        return self.custody_policy == "enforce"

    def to_record(self) -> Record:
        """As the ledger keeps it."""
        return {"v": 2, **self.to_answer()}

    def to_answer(self) -> Record:
        """As ``config`` and ``configure`` answer it."""
        return {
            "custodyPolicy": self.custody_policy,
            "clockToleranceSeconds": self.clock_tolerance_seconds,
            "admins": list(self.admins),
        }

    @classmethod
    def from_record(cls, record: Record | None) -> Self:
        """Back from the ledger, also what the first version wrote; None is the configuration of a new channel."""
        if record is None:
            return cls()
        get, new = record.get, cls()
        tolerance = get("clockToleranceSeconds", new.clock_tolerance_seconds)
        return cls(get("custodyPolicy", new.custody_policy), tolerance, tuple(get("admins", ())))

    def changed(self, wanted: Record, by: str) -> Self:
        """The configuration with what an organisation wants changed. Raises Malformed for what is none."""
        unknown = sorted(wanted.keys() - set(_FIELDS))
        if unknown:
            raise Malformed(f"the configuration has no {', '.join(unknown)}")
        said = {**self.to_answer(), **wanted}
        _check(said)
        return type(self)(
            said["custodyPolicy"], said["clockToleranceSeconds"], tuple(sorted(set(said["admins"]) or {by}))
        )


def _check(said: Record) -> None:
    if said["custodyPolicy"] not in ("flag", "enforce"):
        raise Malformed(f"custodyPolicy is flag or enforce, not {said['custodyPolicy']!r}")
    tolerance = said["clockToleranceSeconds"]
    if not isinstance(tolerance, int) or isinstance(tolerance, bool) or not 0 <= tolerance <= _DAY:
        raise Malformed(f"clockToleranceSeconds is a whole number from 0 to {_DAY}")
    admins = said["admins"]
    if not isinstance(admins, list) or not all(isinstance(msp, str) and msp.strip() for msp in admins):
        raise Malformed("admins is a list of organisations (MSP identifiers)")
    if len(admins) > _MOST_ADMINS:
        raise Malformed(f"at most {_MOST_ADMINS} organisations administer a channel")
