"""Things and their state on the ledger.

One identifier may have two records: an instance's (``TH``) and a lot's (``LT``), where somebody listed a lot among instances or an
instance among quantities. What both say (whose it is, whether its making is known, since when, who must agree to changes) is
taken from the record of the kind of thing that it is, never from the one that was written last.
"""

from __future__ import annotations

from collections.abc import Iterable

from readmodel.bulk import Bulk, Row
from readmodel.identifiers import describe
from readmodel.ids import Ids
from readmodel.records import ThingState
from readmodel.scan import Scan
from readmodel.tables import Thing

_SHARED = ("msp", "commissioned", "updated_at", "endorsers")
_OWN = ("lot_id", "holder_id", "place_id", "parent_id", "status", "disposition")
_NO_STATE: Row = (None,) * (len(_OWN) - 1 + len(_SHARED))


def write_things(bulk: Bulk, scan: Scan, ids: Ids) -> None:
    """Give ids to the things the scan met, write the new ones and what the ledger says of all."""
    new = ids.things.resolve(bulk, scan.things)
    known = ids.things.known
    kinds: dict[str, str] = {uri: scan.things[uri].kind for uri in new}
    kinds |= _kinds(bulk, ids, (uri for uri in (*scan.states, *scan.lot_headers) if uri not in new))
    rows: list[Row] = []
    for uri, identity in new.items():
        description = scan.things[uri]
        product = None if description.product is None else known[description.product]
        head = (identity, uri, description.kind, product)
        state = scan.states.get(uri)
        if state is None or kinds[uri] != "instance":
            rows.append((*head, None if description.lot is None else known[description.lot], *_NO_STATE))
        else:
            rows.append((*head, *_own(uri, state, ids), *_shared(state)))
    bulk.insert(Thing, ("id", "uri", "kind", "product_id", *_OWN, *_SHARED), rows)
    _update(bulk, scan, ids, kinds, new)


def _kinds(bulk: Bulk, ids: Ids, uris: Iterable[str]) -> dict[str, str]:
    """The kinds of things that the tables had: most tell by themselves, the others are looked up."""
    found: dict[str, str] = {}
    unsure: dict[int, str] = {}
    for uri in uris:
        description = describe(uri, is_class=False)
        if description.kind == "instance" and describe(uri, is_class=True).kind != "instance":
            unsure[ids.things.known[uri]] = uri
        else:
            found[uri] = description.kind
    sql = "SELECT t.id, t.kind FROM {values} JOIN thing t ON t.id = v.value"
    return found | {unsure[identity]: kind for identity, kind in bulk.fetch(sql, list(unsure))}


def _update(bulk: Bulk, scan: Scan, ids: Ids, kinds: dict[str, str], new: dict[str, int]) -> None:
    known = ids.things.known
    instances = {uri: state for uri, state in scan.states.items() if kinds[uri] == "instance"}
    rows = [(known[uri], *_own(uri, state, ids), *_shared(state)) for uri, state in instances.items() if uri not in new]
    bulk.update(Thing, ("id", *_OWN, *_SHARED), rows)
    rows = [(known[uri], *_own(uri, state, ids)) for uri, state in scan.states.items() if uri not in instances]
    bulk.update(Thing, ("id", *_OWN), rows)
    lots = {uri: header for uri, header in scan.lot_headers.items() if kinds[uri] != "instance"}
    columns = ("id", "uom", *_SHARED)
    rows = [
        (known[uri], header.uom, header.msp, header.commissioned, header.created, header.endorsers)
        for uri, header in lots.items()
    ]
    bulk.update(Thing, columns, rows)
    rows = [(known[uri], header.uom) for uri, header in scan.lot_headers.items() if uri not in lots]
    bulk.update(Thing, ("id", "uom"), rows)


def _own(uri: str, state: ThingState, ids: Ids) -> Row:
    return (
        ids.thing(state.lot or describe(uri, is_class=False).lot),
        ids.party(state.holder),
        ids.place(state.place),
        ids.thing(state.parent),
        state.status,
        state.disposition,
    )


def _shared(state: ThingState) -> Row:
    return (state.msp, state.commissioned, state.time, state.endorsers)
