"""The chain of what a reading device signed: each event names the one before, so that a lost, withheld or cloned scan shows.

Events may be uploaded in any order. Of each device the ledger keeps how far it counted and how many of these events are known (``DC``),
and for each event its place in the chain (``DS``): an event costs the same, however long the chain. An event that is refused, or came before
from somebody else, has its place too: it was scanned.

What is odd is an exception about the device: ``device_gap`` (events are missing), ``device_fork`` (two events in one place: the key was
cloned, or the device was put back to an earlier state) and ``device_replay`` (one event in two places).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from chaincode import keys
from chaincode.context import Context
from chaincode.exceptions import Fault, close_by, open_fault
from chaincode.facts import Fact
from chaincode.registered import Device
from chaincode.rejection import Rejection
from chaincode.state import Record
from epcis.identity import identity
from epcis.signatures import Link

GAP, FORK, REPLAY = "device_gap", "device_fork", "device_replay"
FIELD = "lotline:signature"


@dataclass(frozen=True, slots=True)
class Scan:
    """A signed event, verified, and its place in the chain of its device."""

    device: Device
    link: Link
    name: str
    """The hash URI that was signed."""
    event: str
    """The event's name on the ledger, and its time."""
    time: str
    odd: str | None = None
    """``device_fork`` or ``device_replay``."""
    detail: str = ""


def scan_of(fact: Fact, device: Device, link: Link) -> Scan:
    """The scan of an event whose signature was verified."""
    return Scan(device, link, identity(fact.event), fact.hash, fact.time)


def check(context: Context, fact: Fact, scan: Scan) -> None:
    """Note a scan, for ``settle``. Raises Rejection where another event has its place."""
    detail = _contradiction(context, scan)
    context.scans.append(scan if detail is None else replace(scan, odd=FORK, detail=detail))
    if detail is not None:
        raise Rejection("device_fork", detail, FIELD, parties=(scan.device.party,))
    tolerance = timedelta(seconds=context.config.clock_tolerance_seconds)
    if scan.link.moment > context.latest or fact.moment > scan.link.moment + tolerance:
        fact.flags.add("clock")


def _contradiction(context: Context, scan: Scan) -> str | None:
    """Why a scan cannot be where it says, by what is known of its neighbours; None if it can."""
    device, link = scan.device.id, scan.link
    here = context.state.get(keys.device_scan(device, link.counter))
    if here is not None and (here["hash"], here["previous"]) != (scan.name, link.previous):
        return f"{device} signed two events with counter {link.counter}: its key was cloned, or it was set back"
    before = context.state.get(keys.device_scan(device, link.counter - 1))
    if before is not None and before["hash"] != link.previous:
        return f"{device} signed another event before {link.counter} than this one names: its key was cloned, or it was set back"
    after = context.state.get(keys.device_scan(device, link.counter + 1))
    if after is not None and after["previous"] != scan.name:
        return f"{device} signed {link.counter + 1} after another event than this one: its key was cloned, or it was set back"
    return None


def settle(context: Context, scans: list[Scan]) -> None:
    """Write the places of scans, and what is odd about them. Nothing of it is undone if their events are refused."""
    for scan in scans:
        if scan.odd is not None:
            _open(context, scan.odd, scan, scan.detail)
        if scan.odd != FORK:
            _place(context, scan)


def _place(context: Context, scan: Scan) -> None:
    device, link = scan.device.id, scan.link
    key = keys.device_scan(device, link.counter)
    if context.state.get(key) is not None:
        return
    context.state.put(key, {"v": 1, "hash": scan.name, "previous": link.previous, "at": link.signed_at})
    chain = chain_of(context, device)
    chain["known"] += 1
    if link.counter > chain["counter"]:
        chain |= {"counter": link.counter, "head": scan.name, "at": link.signed_at}
    elif link.counter <= chain["explainedTo"]:
        chain["explained"] = max(0, chain["explained"] - 1)
    chain["received"] = context.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    context.state.put(keys.device_chain(device), chain)
    _tell_gap(context, scan, chain)


def _tell_gap(context: Context, scan: Scan, chain: Record) -> None:
    missing = missing_of(chain)
    if missing > 0:
        what = "1 event" if missing == 1 else f"{missing} events"
        _open(context, GAP, scan, f"{what} of the {chain['counter']} that {scan.device.id} signed did not arrive")
    else:
        close_by(context, GAP, scan.device.id, scan.event, scan.time)


def _open(context: Context, kind: str, scan: Scan, detail: str) -> None:
    party = scan.device.party
    open_fault(context, kind, scan.device.id, Fault(detail, (party,), scan.event, scan.time, context.msp), item=None)


def missing_of(chain: Record) -> int:
    """How many events of a chain are not known, and not explained."""
    missing: int = chain["counter"] - chain["known"] - chain["explained"]
    return missing


def chain_of(context: Context, device: str) -> Record:
    """How far a device counted: a copy."""
    blank: Record = {"v": 1, "counter": 0, "known": 0, "explained": 0, "explainedTo": 0, "head": None, "at": None}
    return {**blank, **(context.state.get(keys.device_chain(device)) or {})}


def is_chained(context: Context, device: Device) -> bool:
    """Whether a device signs in a chain: then nothing else counts as its signature, or a cloned key would not show."""
    return device.chained or context.state.get(keys.device_chain(device.id)) is not None


def repeated(context: Context, scan: Scan, known: Record) -> Scan:
    """The scan of an event that is on the ledger already: signed by the same device in another place, it is a replay."""
    first = known.get("signature") or {}
    if first.get("device") != scan.device.id or first.get("counter") == scan.link.counter:
        return scan
    detail = f"{scan.device.id} signed one event as {first.get('counter')} and as {scan.link.counter}"
    return replace(scan, odd=REPLAY, detail=detail)
