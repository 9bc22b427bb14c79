"""One statement about one thing, as its history keeps it.

``[time, rank, event, kind, organisation, party, place, {…}]``: the last member only where there is more to say.
"""

from __future__ import annotations

from typing import Any

from chaincode.claims import Claim
from chaincode.history import Entry, long_name
from epcis.prehash import digest_uri
from epcis.remembering import remember

BEGIN, OUT, IN, RELEASE, RECEIVE, ACCEPT, VOID, SEE, END = "b", "u", "p", "r", "a", "k", "v", "s", "d"
HANDLE, EMPTY, NAME, TAKEN = "h", "e", "n", "x"
GUEST, GUEST_RELEASE, GUEST_ACCEPTANCE, GUEST_OUT = "g", "gr", "ga", "go"
"""Said of something that is in the thing: handled, shipped, received by name, taken out."""

RANKS = {
    BEGIN: 0,
    OUT: 1,
    TAKEN: 1,
    GUEST_OUT: 1,
    IN: 2,
    RELEASE: 3,
    GUEST_RELEASE: 3,
    RECEIVE: 4,
    ACCEPT: 5,
    GUEST_ACCEPTANCE: 4,
    VOID: 6,
    SEE: 7,
    HANDLE: 7,
    EMPTY: 7,
    GUEST: 7,
    NAME: 7,
    END: 8,
}
"""Of statements about one moment, the later in this order stands. Where many systems write a day for a time: what begins is packed
before it is shipped, and shipped before it arrives."""

CLAIMS = {"release": RELEASE, "receive": RECEIVE, "accept": ACCEPT, "void": VOID}
_NO_MORE: dict[str, Any] = {}
_KINDS = {short: name for name, short in CLAIMS.items()}
_PREFIX = "https://id.gs1.org/"
_CLAIM = ("from", "to", "documents", "toMsp", "toPlace", "promised", "damaged", "count")


def shortened(uri: str | None) -> str | None:
    """A URI without the beginning that nearly all have: a history repeats them."""
    return uri[len(_PREFIX) :] if uri is not None and uri.startswith(_PREFIX) else uri


def lengthened(text: str | None) -> str | None:
    """Back from ``shortened``: what begins with a digit is a GS1 key."""
    return _PREFIX + text if text is not None and text[:1].isdigit() else text


def make(
    kind: str, time: str, event: str, msp: str, party: str | None, place: str | None, more: dict[str, Any] | None = None
) -> Entry:
    """An entry; ``event`` is the short name of the event that says it."""
    entry: Entry = [time, RANKS[kind], event, kind, msp, shortened(party), shortened(place)]
    if more:
        entry.append(more)
    return entry


def more_of(entry: Entry) -> dict[str, Any]:
    """What else an entry says. Not to be changed."""
    return entry[7] if len(entry) > 7 else _NO_MORE


def with_more(entry: Entry, **said: Any) -> Entry:
    """The entry, saying more; what is None is left out."""
    more = {name: value for name, value in {**more_of(entry), **said}.items() if value is not None}
    return [*entry[:7], more] if more else entry[:7]


@remember(1 << 13, longest=43)
def event_uri(short: str) -> str:
    """The hash URI of an event that an entry names."""
    return digest_uri(long_name(short))


def claim_members(claim: Claim) -> dict[str, Any]:
    """What a claim says beyond time, event, organisation and place."""
    record = claim.to_record()
    found = {name: record[name] for name in _CLAIM if name in record}
    for name in ("from", "to", "toPlace"):
        if name in found:
            found[name] = shortened(found[name])
    return found


def claim_of(entry: Entry) -> Claim:
    """The claim that an entry makes."""
    more, place = more_of(entry), lengthened(entry[6])
    return Claim(
        kind=_KINDS.get(entry[3], "receive"),  # type: ignore[arg-type]
        time=entry[0],
        event=event_uri(entry[2]),
        msp=entry[4],
        sender=lengthened(more.get("from")),
        consignee=lengthened(more.get("to")),
        place=place,
        quantity=None,
        uom=None,
        documents=tuple((kind, value) for kind, value in more.get("documents", ())),
        consignee_msp=more.get("toMsp"),
        to_place=lengthened(more.get("toPlace")),
        promised=more.get("promised"),
        damaged=more.get("damaged", False),
        count=more.get("count", 1),
    )
