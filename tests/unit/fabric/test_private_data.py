"""Private data, verified as far as blocks hold them: hashes in the commit hash, versions, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.common import policies_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import collection_pb2, policy_pb2, transaction_pb2
from fabric_protos.peer.lifecycle import db_pb2

from chaincode.endorsement import all_of
from fabric.verify import verify_chain
from tests.unit.fabric.forge import CHAINCODE, VALID, Forge, Version, results, rwset

REFUSED: int = transaction_pb2.ENDORSEMENT_POLICY_FAILURE
STALE: int = transaction_pb2.MVCC_READ_CONFLICT
KEY, VALUE = b"k" * 32, b"v" * 32
FARM = "_implicit_org_FarmMSP"
Rules = list[tuple[int, int | None, str]]


@pytest.fixture
def forge() -> Forge:
    return Forge()


def found_in(forge: Forge) -> Rules:
    return [(finding.block, finding.transaction, finding.rule) for finding in verify_chain(forge.blocks)]


def private(
    collection: str,
    *,
    write: bytes | None = None,
    delete: str = "",
    policy: bytes | None = None,
    reads: dict[bytes, Version | None] | None = None,
    public: dict[str, bytes | None] | None = None,
) -> bytes:
    """Results that also read and write a private collection."""
    hashed = kv_rwset_pb2.HashedRWSet()
    if write is not None:
        hashed.hashed_writes.add(key_hash=KEY, value_hash=write)
    if delete:
        hashed.hashed_writes.add(key_hash=KEY, **{delete: True})
    if policy is not None:
        entry = kv_rwset_pb2.KVMetadataEntry(name="VALIDATION_PARAMETER", value=policy)
        hashed.metadata_writes.add(key_hash=KEY, entries=[entry])
    for key, version in (reads or {}).items():
        one = hashed.hashed_reads.add(key_hash=key)
        if version is not None:
            one.version.block_num, one.version.tx_num = version
    made = rwset_pb2.TxReadWriteSet.FromString(results(rwset(writes=public)))
    made.ns_rwset[0].collection_hashed_rwset.add(collection_name=collection, hashed_rwset=hashed.SerializeToString())
    return bytes(made.SerializeToString(deterministic=True))


def tx(forge: Forge, raw: bytes, *endorsers: int) -> bytes:
    chosen: dict[str, Any] = {"endorsers": [forge.peers[n] for n in endorsers]} if endorsers else {}
    return forge.envelope(rwset(), raw_results=raw, **chosen)


def test_hashes_count_in_the_commit_hash_after_the_public_keys_of_their_namespace(forge: Forge) -> None:
    both = private("secret", write=VALUE, public={"z": b"1", "a": b"2"})
    left = [("a", b"2", 0), ("z", b"1", 0)]
    forge.append([tx(forge, both), tx(forge, private(FARM, write=VALUE))], writes=left, hashed=[
        (FARM, KEY, VALUE, 1), ("secret", KEY, VALUE, 0),
    ])  # fmt: skip
    for delete in ("is_delete", "is_purge"):
        forge.append([tx(forge, private("secret", delete=delete))], hashed=[("secret", KEY, None, 0)])
    assert found_in(forge) == []
    forge.append([tx(forge, private("secret", write=VALUE))], hashed=[("secret", KEY, b"w" * 32, 0)])
    assert found_in(forge) == [(4, None, "commit_hash")]


def test_reads_of_private_keys_go_stale_too(forge: Forge) -> None:
    forge.append([tx(forge, private(FARM, write=VALUE))], hashed=[(FARM, KEY, VALUE, 0)])
    now, never = private(FARM, reads={KEY: (1, 0)}), private(FARM, reads={KEY: None})
    forge.append([tx(forge, now), tx(forge, never)], [VALID, STALE])
    written = private(FARM, write=b"w" * 32)
    forge.append([tx(forge, written), tx(forge, now)], [VALID, STALE], hashed=[(FARM, KEY, b"w" * 32, 0)])
    assert found_in(forge) == []
    forge.append([tx(forge, now)])
    assert found_in(forge) == [(4, 0, "validation_code")]


def test_what_a_shared_collection_no_longer_has_may_have_expired(forge: Forge) -> None:
    forge.append([tx(forge, private("secret", write=VALUE))], hashed=[("secret", KEY, VALUE, 0)])
    forge.append([tx(forge, private("secret", reads={KEY: None}))])
    assert found_in(forge) == []


@pytest.mark.parametrize(
    ("collection", "public", "endorser", "fault"),
    [
        (FARM, {}, 0, []),  # the approval of a chaincode is of this form
        (FARM, {}, 1, [(1, 0, "endorsement_policy")]),
        (FARM, {"apples": b"2"}, 0, [(1, 0, "endorsement_policy")]),
        ("_implicit_org_NobodyMSP", {}, 0, [(1, 0, "endorsement_policy")]),
        ("secret", {}, 0, [(1, 0, "endorsement_policy")]),
    ],
)
def test_an_organisation_alone_may_write_its_own_collection_and_nothing_else(
    forge: Forge, collection: str, public: dict[str, bytes | None], endorser: int, fault: Rules
) -> None:
    raw = private(collection, write=VALUE, public=public)
    left = [(key, value, 0) for key, value in public.items()]
    forge.append([tx(forge, raw, endorser)], writes=left, hashed=[(collection, KEY, VALUE, 0)])
    assert found_in(forge) == fault


def test_reading_its_own_collection_needs_the_others(forge: Forge) -> None:
    forge.append([tx(forge, private(FARM, reads={KEY: None}), 0)])
    assert found_in(forge) == [(1, 0, "endorsement_policy")]


def test_a_shared_collection_with_a_policy_of_its_own(forge: Forge) -> None:
    alone = policies_pb2.SignaturePolicyEnvelope.FromString(all_of(["ShopMSP"]))
    config = collection_pb2.CollectionConfigPackage()
    shared = config.config.add().static_collection_config
    shared.name = "secret"
    shared.endorsement_policy.CopyFrom(policy_pb2.ApplicationPolicy(signature_policy=alone))
    config.config.add().static_collection_config.name = "other"
    content = db_pb2.StateData(Bytes=config.SerializeToString()).SerializeToString()
    key = f"namespaces/fields/{CHAINCODE}/Collections"
    defined = forge.envelope(rwset(writes={key: content}), chaincode="_lifecycle")
    forge.append([defined], writes=[(key, content, 0)], chaincode="_lifecycle")
    secret, other = private("secret", write=VALUE), private("other", write=VALUE)
    forge.append([tx(forge, secret, 1), tx(forge, secret, 0, 2)], [VALID, REFUSED], hashed=[("secret", KEY, VALUE, 0)])
    forge.append([tx(forge, other, 1), tx(forge, other, 0, 2)], [REFUSED, VALID], hashed=[("other", KEY, VALUE, 1)])
    assert found_in(forge) == []


def test_private_keys_with_policies_of_their_own(forge: Forge) -> None:
    forge.append(
        [tx(forge, private("secret", write=VALUE, policy=all_of(["TruckMSP"])))], hashed=[("secret", KEY, VALUE, 0)]
    )
    write = private("secret", write=b"w" * 32)
    forge.append([tx(forge, write, 0, 1)], [REFUSED])
    away = private("secret", policy=b"")
    # the hash counts as written anew
    forge.append([tx(forge, away, 2), tx(forge, write, 2)], [VALID, REFUSED], hashed=[("secret", KEY, VALUE, 0)])
    forge.append([tx(forge, write, 0, 1)], hashed=[("secret", KEY, b"w" * 32, 0)])
    assert found_in(forge) == []
