import pytest

from readmodel.flows import ONE, day_of, event_flows
from readmodel.told import Named, Told

GTIN = "https://id.gs1.org/01/09506000134352"
ITEM = Named(f"{GTIN}/21/1", "epcList", None, None)
SOME = Named(f"{GTIN}/10/L7", "quantityList", 2_500_000, "KGM")


def told(kind: str, action: str | None, step: str | None, *named: Named) -> Told:
    return Told(kind, action, step, None, 0, None, None, "gate", "place", list(named), [], None)


def flows(kind: str, action: str | None, step: str | None, *named: Named) -> list[tuple[str, str, int]]:
    found = list(event_flows(told(kind, action, step, *named), "party"))
    assert all(flow.product == GTIN and flow.party == "party" and flow.place == "place" for flow in found)
    return [(flow.flow, flow.uom, flow.quantity) for flow in found]


@pytest.mark.parametrize(
    ("action", "step", "flow"),
    [
        ("ADD", "commissioning", "produced"),
        ("OBSERVE", "retail_selling", "sold"),
        ("DELETE", "retail_selling", "sold"),
        ("DELETE", "dispensing", "sold"),
        ("DELETE", "destroying", "removed"),
        ("DELETE", None, "removed"),
        ("OBSERVE", "storing", None),
        ("OBSERVE", "shipping", None),
    ],
)
def test_object_events(action: str, step: str | None, flow: str | None) -> None:
    expected = [] if flow is None else [(flow, "", ONE), (flow, "KGM", 2_500_000)]
    assert flows("ObjectEvent", action, step, ITEM, SOME) == expected


def test_transformations_consume_and_produce() -> None:
    inputs, outputs = SOME._replace(role="inputQuantityList"), ITEM._replace(role="outputEPCList")
    found = flows("TransformationEvent", None, None, inputs, outputs)
    assert found == [("consumed", "KGM", 2_500_000), ("produced", "", ONE)]


def test_a_document_about_goods_moves_none() -> None:
    assert flows("TransactionEvent", "ADD", "retail_selling", ITEM) == []


def test_unstated_quantities_and_things_without_a_product_count_for_nothing() -> None:
    pallet = Named("https://id.gs1.org/00/106141412345678908", "epcList", None, None)
    assert flows("ObjectEvent", "ADD", "commissioning", pallet, SOME._replace(quantity=None)) == []


def test_days_are_utc_days() -> None:
    assert day_of(0) == 0
    assert day_of(86_400_000_000 - 1) == 0
    assert day_of(86_400_000_000) == 1
    assert day_of(-1) == -1
