"""Handoffs, recalls and error declarations on a trace."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from epcis.prehash import digest_uri
from fabric.words.blocks import Write
from readmodel import Projector
from readmodel.queries import Trace, event, find_events, trace
from readmodel.queries.events import EventFilter, event_and_declarations
from readmodel.queries.trace import Direction
from tests.integration.readmodel import chain as c
from tests.integration.readmodel.chain import ChainBuilder

LOT = c.lot("A")


def asked(engine: Engine, start: str, direction: Direction = "both", at: float = 1_000) -> Trace:
    with engine.connect() as connection:
        found = trace(connection, start, direction=direction, at=c.moment(at))
    assert found is not None
    return found


def hop(key: str, thing: str, left: float | None, came: float | None, **more: Any) -> Write:
    dates = {"releasedAt": left, "acceptedAt": came, "promisedAt": more.pop("promised", None)}
    status = "complete" if left is not None and came is not None else "released" if came is None else "accepted"
    fields: dict[str, Any] = {name: None if when is None else c.at(when) for name, when in dates.items()}
    return c.handoff(key, thing, **{"status": status, **fields, **more})


def told(engine: Engine, events: list[dict[str, Any]], *also: Write) -> None:
    chain = ChainBuilder()
    chain.capture(*events, also=also)
    Projector(engine).apply(chain.blocks)


def test_a_lot_that_crossed_a_continent_says_from_whom_to_whom(engine: Engine) -> None:
    shipped = c.object_event(2, step="shipping", quantityList=[{"epcClass": LOT, "quantity": 120}])
    party = c.write("PY", c.party(1), value={"id": c.party(1), "msp": c.MSP, "name": "Maker", "adopted": False})
    moved = hop("h1", LOT, 2, 50, kind="lot", released="120", accepted="120", releaseEvents=[c.hash_of(shipped)])
    told(engine, [shipped], party, moved)
    found = asked(engine, LOT)
    (one,) = found.handoffs
    assert (one.item, one.from_party, one.to_party, one.from_place, one.to_place) == (
        *(LOT, c.party(1), c.party(2)),
        *(c.place(1), c.place(2)),
    )
    assert (one.released, one.accepted, one.released_at, one.accepted_at) == ("120", "120", c.moment(2), c.moment(50))
    assert (one.upstream, one.downstream, one.late, one.recalled, one.faults) == (True, True, False, False, [])
    assert found.names[c.party(1)] == "Maker"
    assert [(line.product, line.released) for line in one.lines] == [(c.GTIN, 120.0)]


def test_a_lot_that_was_shared_out_did_not_come_from_where_its_parts_went(engine: Engine) -> None:
    made = c.object_event(
        0,
        "ADD",
        "commissioning",
        quantityList=[{"epcClass": LOT, "quantity": 120}],
        bizLocation={"id": c.place(1)},
    )
    lots: dict[str, Any] = {"kind": "lot", "released": "60", "accepted": "60"}
    told(engine, [made], hop("h1", LOT, 2, 50, **lots), hop("h2", LOT, 2, 50, hops=(1, 3), **lots))
    found = asked(engine, LOT)
    assert [(one.id, one.upstream, one.downstream) for one in found.handoffs] == [
        ("h1", False, True),
        ("h2", False, True),
    ]


def test_what_has_not_arrived_did_not_come_by_it(engine: Engine) -> None:
    told(engine, [c.object_event(0, "ADD", "commissioning", epcList=[c.item(1)])], hop("h1", c.item(1), 2, None))
    (one,) = asked(engine, c.item(1)).handoffs
    assert (one.upstream, one.downstream) == (False, True)
    assert asked(engine, c.item(1), "upstream").handoffs == []


def test_an_item_came_with_the_pallet_it_is_still_on(engine: Engine) -> None:
    events = [
        c.object_event(0, "ADD", "commissioning", epcList=[c.item(1)]),
        c.pack(1, c.sscc(1), [c.item(1)]),
        c.pack(1.5, c.sscc(9), [c.sscc(1)]),
    ]
    told(engine, events, hop("before", c.sscc(9), 0.2, 0.4), hop("h1", c.sscc(9), 2, 5), hop("h2", c.sscc(9), 6, None))
    up = asked(engine, c.item(1), "upstream")
    assert [one.id for one in up.handoffs] == ["h1"]
    assert [one.id for one in asked(engine, c.item(1)).handoffs] == ["h1", "h2"]


def test_only_handoffs_while_it_was_aboard_count(engine: Engine) -> None:
    events = [
        c.pack(1, c.sscc(1), [c.item(1)]),
        c.pack(6, c.sscc(1), [c.item(1)], "DELETE"),
        c.transform(7, [c.item(1)], [c.lot("SOUP")]),
    ]
    hops = [hop("early", c.sscc(1), 0.1, 0.5), hop("with", c.sscc(1), 2, 4), hop("later", c.sscc(1), 8, 9)]
    told(engine, events, *hops)
    assert [one.id for one in asked(engine, c.lot("SOUP"), "upstream").handoffs] == ["with"]
    assert [one.id for one in asked(engine, c.item(1), "downstream").handoffs] == ["with"]


def test_late_means_after_the_promise(engine: Engine) -> None:
    told(
        engine,
        [],
        hop("late", c.item(1), 1, 9, promised=5),
        hop("in time", c.item(1), 2, 5, promised=5),
        hop("missing", c.item(1), 3, None, promised=50),
        hop("taken back", c.item(1), 4, None, promised=5, status="void"),
    )
    late = {one.id: one.late for one in asked(engine, c.item(1), at=60).handoffs}
    assert late == {"late": True, "in time": False, "missing": True, "taken back": False}
    assert not {one.id: one.late for one in asked(engine, c.item(1), at=40).handoffs}["missing"]


def test_a_handoff_has_its_exceptions(engine: Engine) -> None:
    fault = {"id": "x1", "kind": "shortage", "status": "open", "handoff": "h1", "item": LOT, "detail": "2 are missing"}
    told(
        engine,
        [],
        hop("h1", LOT, 1, 2, kind="lot", released="10", accepted="8", status="disputed"),
        c.write("EX", "x1", value={**fault, "openedAt": c.at(2)}),
    )
    (one,) = asked(engine, LOT).handoffs
    assert [(each.id, each.kind, each.status, each.detail) for each in one.faults] == [
        ("x1", "shortage", "open", "2 are missing")
    ]


def recall(hours: float, things: list[str], **more: Any) -> dict[str, Any]:
    lots = [{"epcClass": name, "quantity": 1} for name in things if "/10/" in name]
    items = [name for name in things if "/10/" not in name]
    fields: dict[str, Any] = {**({"quantityList": lots} if lots else {}), **({"epcList": items} if items else {})}
    return c.object_event(hours, step="holding", **fields, **more)


def test_a_recalled_lot_reads_recalled_and_so_does_what_is_of_it(engine: Engine) -> None:
    header = c.write("LT", LOT, value={"id": LOT, "msp": c.MSP, "commissioned": True, "created": c.at(0)})
    events = [
        c.object_event(0, "ADD", "commissioning", quantityList=[{"epcClass": LOT, "quantity": 10}]),
        c.pack(1, c.sscc(1), (), childQuantityList=[{"epcClass": LOT, "quantity": 5}]),
        recall(5, [LOT], disposition="recalled"),
        c.object_event(6, step="shipping", disposition="in_transit", quantityList=[{"epcClass": LOT, "quantity": 1}]),
    ]
    told(engine, events, header, c.state(c.item(1), lot=LOT), hop("h1", c.sscc(1), 2, 3))
    nodes = {node.id: node for node in asked(engine, LOT).nodes}
    assert (nodes[LOT].status, nodes[LOT].disposition, nodes[LOT].recalled) == ("recalled", "recalled", True)
    assert nodes[c.item(1)].recalled
    assert not nodes[c.sscc(1)].recalled
    assert [one.recalled for one in asked(engine, LOT).handoffs] == [True]


def test_a_stranger_cannot_recall_and_a_recall_can_be_taken_back(engine: Engine) -> None:
    header = c.write("LT", LOT, value={"id": LOT, "msp": c.MSP, "commissioned": True, "created": c.at(0)})
    projector, chain = Projector(engine), ChainBuilder()
    projector.apply(chain.capture(recall(1, [c.lot("B")]), also=[header]))

    def is_recalled() -> bool:
        return next(node for node in asked(engine, LOT).nodes if node.id == LOT).recalled

    projector.apply(chain.add(c.captured([recall(5, [LOT], disposition="recalled")], msp="StrangerMSP")))
    assert not is_recalled()
    projector.apply(chain.capture(recall(6, [LOT], persistentDisposition={"set": ["recalled"]})))
    assert is_recalled()
    projector.apply(
        chain.add(c.captured([recall(9, [LOT], persistentDisposition={"unset": ["recalled"]})], msp="XMSP"))
    )
    assert is_recalled()
    projector.apply(chain.capture(recall(8, [LOT], persistentDisposition={"unset": ["recalled"]})))
    assert not is_recalled()


def test_the_disposition_of_a_lot_is_of_its_newest_event(engine: Engine) -> None:
    def says(hours: float, disposition: str | None) -> dict[str, Any]:
        return c.object_event(hours, disposition=disposition, quantityList=[{"epcClass": LOT, "quantity": 1}])

    told(engine, [says(5, "damaged"), says(9, None), says(2, "in_progress")])
    assert asked(engine, LOT).nodes[0].disposition == "damaged"


# --- error declarations


def declared(wrong: dict[str, Any], *declarations: dict[str, Any]) -> list[Write]:
    """What the contract writes for declarations: a name of their own, what they declare, and the note of the event."""
    writes, names = [], []
    for n, said in enumerate(declarations):
        said_so = {"declarationTime": c.at(30), "reason": "did_not_occur", **said}
        value = {"event": {**wrong, "errorDeclaration": said_so}, "msp": c.MSP, "n": n, "declares": c.hash_of(wrong)}
        names.append(c.hash_of({"declaration of": c.hash_of(wrong), **said})[14:78])
        writes.append(c.write("EV", names[-1], value=value))
    note = {"v": 2, "declarations": names, "reporters": ["OtherMSP"], "ids": ["urn:uuid:2"]}
    return [*writes, c.write("EA", c.hash_of(wrong)[14:78], value=note)]


def test_a_declared_event_is_listed_as_such(engine: Engine) -> None:
    chain, projector = ChainBuilder(), Projector(engine)
    wrong = c.object_event(1, step="inspecting", epcList=[c.item(1)], eventID="urn:uuid:1")
    right = c.object_event(2, step="storing", epcList=[c.item(1)])
    projector.apply([chain.capture(wrong, right), chain.add(declared(wrong, {"correctiveEventIDs": ["urn:x"]}))])
    events = asked(engine, c.item(1)).events
    by_name = {one.hash: one for one in events}
    (said,) = by_name[c.hash_of(wrong)].declared_in_error
    assert (said.reason, said.msp, said.corrective_event_ids) == ("did_not_occur", c.MSP, ["urn:x"])
    assert said.declared_at == c.moment(30)
    assert by_name[said.event].declares == c.hash_of(wrong)
    assert by_name[c.hash_of(right)].declared_in_error == []
    with engine.connect() as connection:
        for name in ("urn:uuid:1", "urn:uuid:2", c.hash_of(wrong)):
            found = event(connection, name)
            assert found is not None
            assert (found.hash, found.declared_in_error) == (c.hash_of(wrong), [said])
            assert (found.reporters, found.other_ids) == (["OtherMSP"], ["urn:uuid:2"])
            plain, taken_back_by = event_and_declarations(connection, name)
            assert (plain, taken_back_by.hash, taken_back_by.event_hash) == (found, said.event, c.hash_of(wrong))
        page = find_events(connection, EventFilter(match_epc=[c.item(1)]))
        assert [bool(one.declared_in_error) for one in page.items if one.hash == c.hash_of(wrong)] == [True]


def test_a_second_declaration_is_not_lost(engine: Engine) -> None:
    chain, projector = ChainBuilder(), Projector(engine)
    wrong = c.object_event(1, epcList=[c.item(1)])
    projector.apply([chain.capture(wrong), chain.add(declared(wrong, {}, {"reason": "incorrect_data"}))])
    with engine.connect() as connection:
        found = event(connection, c.hash_of(wrong))
    assert found is not None
    assert [one.reason for one in found.declared_in_error] == ["did_not_occur", "incorrect_data"]


def test_events_name_their_documents_and_quantities(engine: Engine) -> None:
    shipped = c.object_event(
        1,
        step="shipping",
        quantityList=[{"epcClass": LOT, "quantity": 2.5, "uom": "KGM"}],
        bizTransactionList=[{"type": "desadv", "bizTransaction": "urn:d:7"}, {"bizTransaction": "urn:d:8"}],
    )
    told(engine, [shipped])
    (one,) = asked(engine, LOT).events
    assert one.documents == ["urn:d:7", "urn:d:8"]
    assert [(each.thing, each.quantity, each.uom) for each in one.quantities] == [(LOT, 2.5, "KGM")]
    assert one.hash == digest_uri(c.hash_of(shipped)[14:78])
