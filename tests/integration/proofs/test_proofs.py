"""Proofs of real answers: what they show, and that nothing can be taken from them, added or exchanged."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import ledger_pb2
from fabric_protos.peer import proposal_response_pb2

from fabric.words.blocks import decode_block
from fabric.words.proposal import Proposal
from fabric.words.transaction import action_of, endorsed_payload
from ledger import ca
from proofs import ProofError, Roots, verify
from proofs.attestation import nonce_bytes
from proofs.document import Proof as File
from readmodel.queries.trace import trace
from tests.effort import examples
from tests.integration.proofs.conftest import MADE, RAW, World
from tests.integration.proofs.rewriting import rewritten
from tests.unit.chaincode.peer import NOW, commission, item, pallet

CASES = [
    (RAW, "downstream"),
    (item(50), "upstream"),
    (item(1), "both"),
    (pallet(1), "both"),
    (MADE, "both"),
    (item(2), "none"),
]


@pytest.mark.parametrize(("uri", "direction"), CASES)
async def test_a_proof_has_all_that_the_trace_has(story: World, uri: str, direction: str) -> None:
    proof = await story.prover.prove("trace", uri, direction=direction)
    found = verify(proof.to_json(), story.roots, nonce=proof.question.nonce, start=uri)
    assert found.organisations == ("AMSP", "BMSP", "CMSP")
    assert not found.older
    assert any("one party holds the keys" in text for text in found.not_shown)
    nodes = dict(found.nodes)
    assert item(90) not in nodes
    if direction == "none":
        return
    with story.engine.connect() as connection:
        answer = trace(connection, uri, direction=direction)  # type: ignore[arg-type]
    assert answer is not None
    missing = {node.id for node in answer.nodes if node.kind != "transformation"} - nodes.keys()
    assert not missing
    names = {one.hash.partition(";")[2].partition("?")[0] for one in answer.events}
    assert names <= set(found.events)


async def test_everything_from_raw_material_on_is_found(story: World) -> None:
    proof = await story.prover.prove("trace", RAW, direction="downstream")
    nodes = {uri for uri, _ in proof.nodes}
    assert {RAW, MADE, item(1), item(2), item(3), item(50), pallet(1), pallet(2)} == nodes


def _without(proof: File, gone: int) -> dict[str, Any]:
    """The proof as a liar would make it: everything that can be made to agree agrees."""
    document: dict[str, Any] = json.loads(proof.to_json())
    del document["records"][gone]
    del document["answer"]["events"][gone]
    document["trails"] = [
        [uri, writer, [place - (place > gone) for place in places if place != gone]]
        for uri, writer, places in document["trails"]
    ]
    return document


def _refused(document: Any, roots: Roots, **more: Any) -> str:
    raw = document if isinstance(document, bytes) else rewritten(document)
    with pytest.raises(ProofError) as caught:
        verify(raw, roots, **more)
    return caught.value.word


@pytest.mark.parametrize(("uri", "direction"), CASES)
async def test_no_event_can_be_left_out(story: World, uri: str, direction: str) -> None:
    proof = await story.prover.prove("trace", uri, direction=direction)
    for gone in range(len(proof.records)):
        assert _refused(_without(proof, gone), story.roots) == "trail"


async def test_no_thing_can_be_left_out(story: World) -> None:
    """A branch with all its events, the question asked about fewer things: the walk finds that something is not there."""
    prover = story.prover
    proof = await prover.prove("trace", RAW, direction="downstream")
    for gone, role in proof.nodes:
        if role == "start":
            continue
        fewer = [uri for uri, _ in proof.nodes if uri != gone]
        kept = [n for n, text in enumerate(proof.records) if any(uri in text for uri in fewer)]
        places = {n: place for place, n in enumerate(kept)}
        asked = {
            "nonce": "N",
            "things": fewer,
            "classes": [uri for uri, writer, _ in proof.trails if writer and uri != gone],
        }
        asked["classes"] = sorted(set(asked["classes"]))
        signed = await story.ledger.attest("heads", [json.dumps(asked).encode()], identity=story.people["AMSP"])
        liar = File(
            proof.question.__class__("trace", RAW, "downstream", "N"),
            [(uri, kind) for uri, kind in proof.nodes if uri != gone],
            [proof.events[n] for n in kept],
            [proof.records[n] for n in kept],
            [
                (uri, writer, [places[n] for n in listed])
                for uri, writer, listed in proof.trails
                if uri != gone and all(n in places for n in listed)
            ],
            signed,
        )
        assert _refused(liar.to_json(), story.roots) in ("closure", "trail")


async def test_what_a_liar_may_try(story: World, tmp_path: Path) -> None:
    proof = await story.prover.prove("trace", item(1), direction="both")
    other = await story.prover.prove("trace", MADE, direction="both")
    raw, roots = proof.to_json(), story.roots
    document = json.loads(raw)

    def changed(change: Callable[[Any], Any]) -> Any:
        copy = json.loads(raw)
        change(copy)
        return copy

    assert _refused(b"", roots) == "format"
    assert _refused(raw[:-1], roots) == "format"
    assert _refused(raw.replace(b'"records":', b'"format":"x","records":'), roots) == "format"
    assert _refused(changed(lambda d: d.update(format="lotline-proof/9")), roots) == "format"
    assert _refused(changed(lambda d: d["trails"][0][2].append(10**9)), roots) == "format"
    assert _refused(b"[" * 100_000, roots) == "format"
    assert _refused(raw, Roots({"XMSP": roots.authorities["AMSP"]})) == "roots"
    assert _refused(raw, Roots({"AMSP": roots.authorities["BMSP"]})) == "roots"
    assert _refused(raw, roots, quorum=4) == "quorum"
    assert _refused(raw, Roots({"AMSP": roots.authorities["AMSP"]}), quorum=2) == "quorum"
    assert _refused(raw, roots, nonce="mine") == "question"
    assert _refused(raw, roots, start=item(2)) == "question"
    assert _refused(raw, roots, channel="another") == "question"
    assert _refused(changed(lambda d: d["question"].update(nonce="mine")), roots) == "question"
    assert _refused(changed(lambda d: d["question"].update(id=item(2))), roots) in ("answer", "closure")
    assert _refused(changed(lambda d: d["question"].update(direction="upstream")), roots) in ("answer", "trail")
    assert _refused({**document, "attestation": json.loads(other.to_json())["attestation"]}, roots) == "question"
    assert _refused(changed(lambda d: d["answer"]["nodes"].pop()), roots) == "answer"
    assert _refused(changed(lambda d: d["answer"]["events"].reverse()), roots) == "answer"
    assert _refused(changed(lambda d: d["answer"]["shown"].update(nodes=[item(90)])), roots) == "answer"
    assert _refused(changed(lambda d: d["records"].append(d["records"][0])), roots) == "record"
    assert _refused(changed(lambda d: d["records"].__setitem__(0, "{}")), roots) == "record"
    assert (
        _refused(changed(lambda d: d["trails"][0][2].reverse()), roots) == "trail" or len(document["trails"][0][2]) < 2
    )
    assert _refused(changed(lambda d: d["trails"].pop()), roots) == "trail"
    assert _refused(raw, roots, block=10**6) == "stale"
    assert verify(raw, roots, block=1).block >= 1


async def test_an_older_proof_shows_less_and_says_as_of_when(story: World) -> None:
    before = await story.prover.prove("thing", item(2), nonce="first")
    await story.capture(commission(20, pallet(5)))
    after = await story.prover.prove("thing", item(2), nonce="second")
    assert _refused(before.to_json(), story.roots, nonce="second") == "question"
    found = verify(after.to_json(), story.roots, nonce="second")
    assert found.records["thing"][item(2)]["id"] == item(2)


async def test_that_the_ledger_never_heard_of_something_is_proven_too(story: World) -> None:
    proof = await story.prover.prove("thing", item(404))
    found = verify(proof.to_json(), story.roots)
    assert found.events == []
    assert found.records == {"thing": {item(404): None}, "lot": {item(404): None}}


async def test_random_changes_are_all_refused(story: World) -> None:
    """Bytes changed, gone and new, anywhere: none verifies and none brings anything but a refusal."""
    proof = await story.prover.prove("trace", item(1), direction="both")
    raw, chance = proof.to_json(), random.Random(7)
    for _ in range(examples(1_000)):
        place, what = chance.randrange(len(raw)), chance.random()
        if what < 0.5:
            middle = bytes([raw[place] ^ (1 << chance.randrange(8))])
        else:
            middle = chance.randbytes(chance.randrange(1, 9)) if what < 0.75 else b""
        other = raw[:place] + middle + raw[place + 1 :]
        if other != raw:
            assert _refused(other, story.roots)


def _paths(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for name, value in inside:
        yield (*path, name)
        yield from _paths(value, (*path, name))


JUNK: list[Any] = [None, 0, -1, 1.5, "", [], {}, "x", True, 2**70, [[]], ["a"] * 3, {"a": 1}, 10**400]


async def test_changes_by_who_knows_the_form_show_nothing_else(story: World) -> None:
    """Members exchanged, repeated, dropped and shuffled, with a digest that fits: what still verifies says the same of the ledger."""
    proof = await story.prover.prove("trace", item(1), direction="both")
    before = verify(proof.to_json(), story.roots)
    chance = random.Random(8)
    paths = list(_paths(json.loads(proof.to_json())))
    for _ in range(examples(600)):
        document = json.loads(proof.to_json())
        *way, last = chance.choice(paths)
        inside = document
        for name in way:
            inside = inside[name]
        what = chance.random()
        if isinstance(inside, list) and what < 0.5:
            chance.shuffle(inside)
        elif isinstance(inside, list) and what < 0.7:
            del inside[last]
        else:
            inside[last] = chance.choice(JUNK)
        try:
            after = verify(rewritten(document), story.roots)
        except ProofError:
            continue
        assert (after.nodes, after.events, after.block, after.records) == (
            before.nodes,
            before.events,
            before.block,
            before.records,
        ), (way, last)


async def test_each_organisation_signs_how_high_its_chain_is(story: World) -> None:
    proof = await story.prover.prove("thing", item(2))
    found = verify(proof.to_json(), story.roots)
    height = await story.ledger.height()
    assert {(one.msp_id, one.height) for one in found.checkpoints} == {(msp, height) for msp in story.roots.authorities}
    assert {one.header_hash for one in found.checkpoints} == {
        decode_block(await story.ledger.block(height - 1)).header_hash
    }
    other = await story.prover.prove("thing", item(2))
    mixed = {**json.loads(proof.to_json())}
    mixed["attestation"]["checkpoints"] = json.loads(other.to_json())["attestation"]["checkpoints"]
    assert _refused(mixed, story.roots) == "question"
    fewer = Roots({"AMSP": story.roots.authorities["AMSP"]})
    assert [one.msp_id for one in verify(proof.to_json(), fewer).checkpoints] == ["AMSP"]


async def test_two_chains_of_one_height_are_a_fork(story: World) -> None:
    """What an organisation signs for another chain of the same length."""
    proof = await story.prover.prove("thing", item(2))
    call = [b"GetChainInfo", story.ledger.channel.encode()]
    who = story.people["BMSP"]
    asked = Proposal.create(story.ledger.channel, "qscc", call, who.creator, nonce_bytes(proof.question.nonce), NOW)
    info = ledger_pb2.BlockchainInfo(height=await story.ledger.height(), currentBlockHash=b"\x01" * 32)
    response = proposal_response_pb2.Response(status=200, payload=info.SerializeToString())
    peer = ca.load_identity(story.home / "ledger" / "organisations" / "BMSP", "peer0")
    signed = endorsed_payload(asked, action_of(asked, "qscc", b"", None, response), [peer])
    lying = replace(proof, checkpoints=[proof.checkpoints[0], signed])
    with pytest.raises(ProofError, match="AMSP and BMSP signed different chains"):
        verify(lying.to_json(), story.roots)
