"""The contract's own tests on a real network of three organisations: not a line of them differs.

In one file, so that one worker starts one network for all of them.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.fabric.contract.peer import FabricPeer, Field
from tests.integration.chaincode import test_gs1_documents
from tests.unit.chaincode import (
    test_answers,
    test_any_order,
    test_capture,
    test_containment,
    test_custody,
    test_declarations,
    test_determinism,
    test_device_chains,
    test_duplicates,
    test_first_version,
    test_handoffs,
    test_lot_voids,
    test_lots,
    test_master_data,
    test_named_lots,
    test_order,
    test_protection,
    test_publications,
    test_queries,
    test_reassignment,
    test_registry,
    test_signatures,
    test_state_machine,
)
from tests.unit.chaincode.peer import commission, item
from tests.unit.chaincode.telling import stories

pytestmark = pytest.mark.fabric

SUITE = [
    test_answers, test_any_order, test_capture, test_containment, test_custody, test_declarations, test_determinism, test_device_chains,
    test_duplicates,
    test_first_version, test_gs1_documents, test_handoffs, test_lot_voids, test_lots, test_master_data, test_named_lots, test_order,
    test_protection, test_publications, test_queries, test_reassignment, test_registry, test_signatures,
]  # fmt: skip
LEFT_OUT = {
    "any_order: every_order_gives_the_same": "below, with fewer examples",
    "any_order: declarations_count_whenever_they_come": "below, with fewer examples",
    "any_order: long_stories_in_pages": "makes pages smaller, which other processes do not see",
    "any_order: what_was_declared_wrong_never_was": "below, with fewer examples",
    "capture: a_submitter_that_cannot_be_read_is_refused": "a real peer refuses such a submitter before it asks the contract",
    "containment: moving_a_pallet_costs_the_same_however_much_is_on_it": "counts the round trips of the peer in memory",
    "determinism: peers_agree_whatever_their_hash_seed": "starts processes that have no network; here endorsers must agree anyway",
    "determinism: writes_go_out_in_the_order_of_their_keys": "a write set is in the order of its keys whatever the contract does",
    "device_chains: any_order_any_grouping_any_repetition": "below, with fewer examples",
    "device_chains: the_cost_of_a_scan_does_not_grow": "counts the round trips of the peer in memory",
    "order: instances": "below, with fewer examples",
    "order: lots": "below, with fewer examples",
}


def _tests(module: ModuleType) -> dict[tuple[str, str], Any]:
    """A module's tests by area and name."""
    area = module.__name__.rpartition(".test_")[2]
    found = vars(module).items()
    return {
        (area, name.removeprefix("test_")): test for name, test in found if name.startswith("test_") and callable(test)
    }


ALL = {key: test for module in SUITE for key, test in _tests(module).items()}
for (_area, _name), _test in ALL.items():
    if f"{_area}: {_name}" not in LEFT_OUT:
        globals()[f"test_{_area}_{_name}"] = _test

FEW = settings(max_examples=3, deadline=None)
_of_instances = given(steps=test_order.INSTANCE_STEPS, was_made=st.booleans(), data=st.data())
_of_lots = given(steps=test_order.STEPS, data=st.data())
test_order_instances = FEW(_of_instances(test_order.test_instances.hypothesis.inner_test))  # type: ignore[attr-defined]
test_order_lots = FEW(_of_lots(test_order.test_lots.hypothesis.inner_test))  # type: ignore[attr-defined]
_in_any_order = given(story=stories(5, declarations=True), data=st.data())
_any = test_any_order.test_declarations_count_whenever_they_come.hypothesis.inner_test  # type: ignore[attr-defined]
test_any_order_declarations_count_whenever_they_come = FEW(_in_any_order(_any))
_of_a_device = given(data=st.data())
_chained = test_device_chains.test_any_order_any_grouping_any_repetition.hypothesis.inner_test  # type: ignore[attr-defined]
test_device_chains_any_order = FEW(_of_a_device(_chained))


class Histories(test_state_machine.Histories):
    """Random histories, few and short."""


Histories.TestCase.settings = settings(FEW, max_examples=2, stateful_step_count=12)
TestHistories = Histories.TestCase


def test_a_world_begins_with_the_states_it_is_given(field: Field) -> None:
    """As the histories' last step makes one."""
    peer, other = FabricPeer(field), FabricPeer(field)
    peer.accept(commission(1, item(1)))
    other.state = dict(peer.state)
    assert other.refuse(commission(2, item(1))) == "already_commissioned"
    assert FabricPeer(field).state == {}


def test_what_is_left_out_is_there_and_nothing_is_forgotten() -> None:
    assert set(LEFT_OUT) <= {f"{area}: {name}" for area, name in ALL}
    folder = Path(test_capture.__file__).parent
    there = {file.stem for file in folder.glob("test_*.py")}
    here = {module.__name__.rpartition(".")[2] for module in SUITE}
    # above; and test_proofs has trails and heads of four organisations
    elsewhere = {"test_state_machine", "test_trails", "test_heads"}
    without_peer = {
        "test_batch_form",
        "test_reference",
        "test_state",
        "test_leaving",  # six organisations, as the next
        "test_hostile",
        "test_first_version_lots",
        "test_loose",
        "test_lot_lanes",
        "test_lot_model",
        "test_lot_units",
        "test_sequence",
    }  # parts by themselves, and what docs/contract.md must name
    assert there - here == elsewhere | without_peer
