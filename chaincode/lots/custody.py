"""The keys of what records the custody of a lot: all of them for those who protect it, the likely ones for those who read ahead."""

from __future__ import annotations

from collections.abc import Iterator

from chaincode import keys
from chaincode.context import Context
from chaincode.handoffs import lane_name
from chaincode.lots import contradictions, legacy, views
from chaincode.lots.account import Account
from chaincode.lots.claims import AccountName, Documents
from chaincode.lots.header import load
from chaincode.lots.lane import Lane


def keys_of(context: Context, uri: str) -> list[str]:
    """A lot's record and its history, its balances, what was claimed of it and its handoffs."""
    state = context.state
    found = [keys.lot(uri), *_making(context, uri)]
    found += [keys.balance(*attributes) for attributes, _ in state.under("LB", uri)]
    found += [keys.unclaimed(*attributes) for attributes, _ in state.under("LU", uri)]
    lanes, accounts = list(state.under("HX", uri)), list(state.under("HA", uri))
    known = [keys.account(uri, names[1], names[2], names[3]) for names, _ in accounts]
    state.prefetch([*known, *(keys.claims(uri, names[1]) for names, _ in lanes)])
    for attributes, record in lanes:
        if "v" not in record:
            found += [keys.claims(uri, attributes[1])]
            found += [keys.handoff(identity) for identity in legacy.identities(record, uri, attributes[1])]
        else:
            found += _lane(context, uri, attributes[1])
    for attributes, _ in accounts:
        found += _account(context, uri, attributes[1], (attributes[2], attributes[3]))
    return found


def _making(context: Context, uri: str) -> Iterator[str]:
    lot = load(context, uri)
    for number in range(lot.making.get("pages", 0) if lot is not None else 0):
        yield keys.page("LT", uri, number)


def _lane(context: Context, uri: str, consignee: str) -> Iterator[str]:
    lane, name = Lane(context, uri, consignee, {}), lane_name(uri, consignee)
    yield from lane.keys()
    for place in lane.places():
        if AccountName.of(place[2]) is None:
            yield keys.handoff(f"{name}-{place[2]}")


def _account(context: Context, uri: str, consignee: str, document: tuple[str, str]) -> Iterator[str]:
    account, name = Account(context, uri, consignee, document, {}), lane_name(uri, consignee)
    yield from account.keys()
    for group in account.groups():
        yield keys.handoff(f"{name}-{views.anchor(group.name, is_primary=group.is_primary)}")


def keys_of_shipment(uri: str, consignee: str, documents: Documents) -> Iterator[str]:
    """What a claim to a consignee, under a document if it names one, is likely to read."""
    yield keys.claims(uri, consignee)
    for kind, document in documents:
        yield keys.account(uri, consignee, kind, document)
        anchor = views.anchor(AccountName(kind, document), is_primary=True)
        yield keys.handoff(f"{lane_name(uri, consignee)}-{anchor}")
        for group in contradictions.groups_of(kind, document, uri, consignee):
            yield keys.leftovers(*group)
