"""Lanes: the claims of one item (a lot's to one consignee), and the handoffs that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chaincode import handoffs, keys
from chaincode.claims import Claim
from chaincode.context import Context
from chaincode.endorsement import endorsed_as
from chaincode.exceptions import close_exception, open_exception
from chaincode.facts import Fact
from chaincode.handoffs import Faults
from chaincode.matching import Hop, match_instance, match_lot
from chaincode.state import Record

_MOST, _KEPT = 64, 32
FaultsOf = Callable[[list[Hop], int], Faults]


class Lane:
    """What is known of an item's handoffs. ``number`` of a hop counts from the item's first one on."""

    def __init__(
        self,
        context: Context,
        item: str,
        consignee: str | None = None,
        *,
        is_lot: bool = False,
        known_empty: bool = False,
        of: Record | None = None,
    ) -> None:
        """``of``: the item's record; claims and handoffs of what is protected are protected as it is."""
        self._context = context
        self.consignee = consignee or ""
        self._kind = handoffs.LOT if is_lot else handoffs.INSTANCE
        self._key = keys.claims(item, self.consignee)
        self._name = handoffs.lane_name(item, self.consignee)
        record = {} if known_empty else context.state.get(self._key) or {}
        self.item = item
        self.claims = [Claim.from_record(claim) for claim in record.get("claims", ())]
        self.counted: set[str] = set(record.get("counted", ()))
        self.contradictions: dict[str, Faults] = record.get("contradictions", {})
        self._folded: int = record.get("folded", 0)
        self.written: int = record.get("written", 0)
        self._faults: list[list[str]] = record.get("faults", [])
        self._endorsed = endorsed_as(of) or endorsed_as(record)
        self._before = self.hops = self._match()
        self._record = record

    @property
    def before(self) -> list[Hop]:
        """The hops as they were when they were last saved."""
        return self._before

    def _match(self) -> list[Hop]:
        if not self.claims:
            return []
        return (match_lot if self._kind == handoffs.LOT else match_instance)(self.claims)

    def add(self, claims: Iterable[Claim]) -> None:
        """Take claims in."""
        self.claims += claims
        self.hops = self._match()

    def remove(self, event: str) -> list[Claim]:
        """Give the claims of an event away."""
        found = [claim for claim in self.claims if claim.event == event]
        self.claims = [claim for claim in self.claims if claim.event != event]
        self.hops = self._match()
        return found

    def identifier(self, index: int) -> str:
        """The id of the handoff of a hop."""
        return f"{self._name}-{self._folded + index}"

    def open_ones(self) -> list[str]:
        """The ids of the handoffs that are not settled."""
        return [self.identifier(index) for index, hop in enumerate(self.hops) if not hop.settled]

    def save(self, fact: Fact, faults_of: FaultsOf) -> None:
        """Write the claims, the handoffs that changed, and the exceptions. Nothing is read for it."""
        was_open = {(identity, kind) for identity, kind in self._faults}
        now_open: set[tuple[str, str]] = set()
        for index, hop in enumerate(self.hops):
            identity = self.identifier(index)
            faults = faults_of(self.hops, index)
            was = {kind for other, kind in was_open if other == identity}
            same = index < len(self._before) and self._before[index] == hop
            if not same or was != faults.keys():
                self._write(handoffs.record_of(identity, self.item, self._kind, hop, faults))
            for kind, detail in sorted(faults.items()):
                if not same or kind not in was:
                    self._open(fact, identity, kind, detail, hop, known=kind in was)
                now_open.add((identity, kind))
        for index in range(len(self.hops), self.written - self._folded):
            self._write(handoffs.void_record(self.identifier(index), self.item, self._kind))
        for identity, kind in sorted(was_open - now_open):
            close_exception(self._context, fact, kind, identity)
        self.written = max(self.written, self._folded + len(self.hops))
        self._fold()
        self._save(sorted(now_open))

    def _write(self, record: Record) -> None:
        self._context.state.file(keys.handoff(record["id"]), {**record, **self._endorsed})

    def _open(self, fact: Fact, identity: str, kind: str, detail: str, hop: Hop, *, known: bool) -> None:
        whom = handoffs.parties_of(hop)
        item = self.item
        open_exception(
            self._context, fact, kind, identity, detail, item=item, handoff=identity, parties=whom, known=known
        )

    def _fold(self) -> None:
        """Forget the claims of the oldest handoffs that are settled, so that a lane does not grow for ever."""
        if len(self.claims) <= _MOST:
            return
        while len(self.hops) > 1 and self.hops[0].settled and len(self.claims) > _KEPT:
            hop = self.hops.pop(0)
            gone = {claim.event for claim in [*hop.releases, *hop.acceptances, *hop.voids]}
            kept = {claim.event for other in self.hops for claim in [*other.releases, *other.acceptances]}
            self.claims = [claim for claim in self.claims if claim.event not in gone - kept]
            self._folded += 1

    def _save(self, faults: list[tuple[str, str]]) -> None:
        record: Record = {"claims": [claim.to_record() for claim in sorted(self.claims, key=lambda c: c.order)]}
        record |= {"written": self.written, "faults": [list(fault) for fault in faults]}
        if self._folded:
            record["folded"] = self._folded
        if self.counted:
            record["counted"] = sorted(self.counted)
        if self.contradictions:
            record["contradictions"] = self.contradictions
        record |= self._endorsed
        if record != self._record:
            self._context.state.put(self._key, record)
            self._record = record
        self._before = self.hops
        self._faults = record["faults"]
