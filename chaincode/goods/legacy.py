"""Records of the first version's contract: registers instead of a history. They become one when they are first touched.

What a register remembers becomes a statement at its time. What it had forgotten (claims beyond 32, moments between) stays so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from chaincode import handoffs, keys
from chaincode.claims import Claim
from chaincode.goods import entries as e
from chaincode.history import Entry, place_of, short_name
from chaincode.state import Record, State
from epcis.identifiers import identify
from epcis.identity import hash_hex

_SSCC = "00"


def converted(state: State, uri: str, record: Record) -> Record:
    """A thing's record with a history in it; one that has it already as it is."""
    if "v" in record:
        return record
    lane = state.get(keys.claims(uri, "")) or {} if record.get("handoffs") else {}
    log = sorted(_unique([*_registers(uri, record), *_claims(uri, lane)]), key=place_of)
    _name_hops(uri, log, lane)
    base = {"lot": record["lot"]} if record.get("lot") else None
    maker = next((entry[4] for entry in log if entry[3] == e.BEGIN), None)
    return {**record, "v": 2, "maker": maker, "log": log, **({} if base is None else {"base": base})}


def _registers(uri: str, record: Record) -> Iterator[Entry]:
    msp, origin = record["msp"], record.get("origin")
    if origin is not None:
        known_as = identify(uri)
        is_label = known_as is not None and known_as.ai == _SSCC
        kind = e.BEGIN if origin["commissioned"] and not is_label else e.HANDLE
        more = {"label": True} if origin["commissioned"] and is_label else {}
        yield _entry(uri, kind, origin["time"], origin["msp"], origin["party"], more=more)
    for other, (time, looked) in sorted(record.get("touches", {}).items()):
        yield _entry(uri, e.SEE if looked else e.HANDLE, time, other)
    if (seen := record.get("seen")) is not None and seen[3] is not None:
        yield _entry(uri, e.SEE, seen[0], msp, place=seen[3])
    if (disposed := record.get("disposed")) is not None:
        yield _entry(uri, e.SEE, disposed[0], msp, more={"d": record["disposition"]})
    for taken in record.get("unpacked", ()):
        yield _entry(uri, e.TAKEN, taken["time"], taken["msp"], taken["party"])
    if record["parent"] is not None:
        yield _entry(uri, e.IN, record["packed"], msp, more={"in": e.shortened(record["parent"])})
    if (ended := record.get("ended")) is not None:
        yield _entry(uri, e.END, ended[0], msp, more={"as": ended[1]})


def _entry(
    uri: str, kind: str, time: str, msp: str, party: str | None = None, place: str | None = None, more: Any = None
) -> Entry:
    """The first version did not keep which event told what: the name is made up, and the same on every peer."""
    made_up = hashlib.sha256(f"{uri}\n{kind}\n{time}\n{msp}\n{place}".encode()).hexdigest()
    return e.make(kind, time, short_name(made_up), msp, party, place, more)


def _claims(uri: str, lane: Record) -> Iterator[Entry]:
    for record in lane.get("claims", ()):
        claim = Claim.from_record(record)
        if claim.event in lane.get("counted", ()):
            more = {**e.claim_members(claim), "counted": True}
        else:
            more = e.claim_members(claim)
        party = claim.sender if claim.kind in ("release", "void") else claim.consignee
        yield e.make(
            e.CLAIMS[claim.kind], claim.time, short_name(hash_hex(claim.event)), claim.msp, party, claim.place, more
        )


def _unique(entries: list[Entry]) -> list[Entry]:
    return list({place_of(entry): entry for entry in entries}.values())


def _name_hops(uri: str, log: list[Entry], lane: Record) -> None:
    """Handoffs keep the ids that the first version gave them: counted, in their order."""
    from chaincode.goods.fold import Fold

    fold, number, name = Fold(uri, None, confirmed=False), lane.get("folded", 0), handoffs.lane_name(uri, "")
    hop = None
    for index, entry in enumerate(log):
        fold.run((entry,))
        latest = fold.at.hop
        if latest is not hop and latest is not None:
            log[index] = e.with_more(entry, known_as=f"{name}-{number}")
            number += 1
        hop = latest
