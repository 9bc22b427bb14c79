"""Chains verified: events a second with every rule, beside taking the same blocks apart alone, and the memory of a long chain.

    python -m benchmarks.verify              a chain of the real contract; then 200,000 events made for it
    python -m benchmarks.verify 1000000      so many instead

The long chain is made while it is verified, block by block, so that only the verifier remembers it: 500 events a transaction, each
writing two keys of its own and one that it read, as much as the contract does.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import proposal_response_pb2, transaction_pb2

from benchmarks.pallets import EVENTS_A_PALLET, batches, pallets
from benchmarks.report import report
from fabric.verify import Verifier
from fabric.words import chain
from fabric.words.blocks import decode_block
from fabric.words.proposal import Proposal
from fabric.words.transaction import endorsed_envelope
from ledger import ca
from ledger.embedded.adapter import EmbeddedLedger
from ledger.embedded.genesis import config_envelope

_PALLETS = 2_500
_BATCH = 500
_LONG = 200_000
_ROUNDS = 3
_RECORD = os.urandom(400)
_STATES = 50_000
"""Keys that are read and written again and again."""


async def real_chain(folder: Path) -> list[bytes]:
    """Blocks of the contract on an embedded ledger."""
    ledger = await EmbeddedLedger.create(folder, ["AMSP", "BMSP"])
    people = {who: ca.issue(folder / "organisations" / f"{who}MSP", "scanner", "admin") for who in "AB"}
    await ledger.submit("configure", [b'{"admins":["AMSP","BMSP"]}'], identity=people["A"])
    for who, batch, _ in batches(pallets(_PALLETS), _BATCH):
        await ledger.submit("capture", [batch], identity=people[who])
    blocks = [(await ledger.block(number)).SerializeToString() for number in range(await ledger.height())]
    await ledger.close()
    return blocks


def parse(blocks: list[bytes]) -> float:
    """Seconds to take them apart."""
    started = time.perf_counter()
    for content in blocks:
        decode_block(common_pb2.Block.FromString(content))
    return time.perf_counter() - started


def verify(blocks: list[bytes]) -> float:
    """Seconds to verify them."""
    started = time.perf_counter()
    with closing(Verifier()) as verifier:
        for content in blocks:
            found = verifier.add(common_pb2.Block.FromString(content))
            if found:
                raise RuntimeError(f"a good chain is found to be broken: {found[0]}")
    return time.perf_counter() - started


class Maker:
    """A chain of two organisations, as long as wanted."""

    def __init__(self, folder: Path) -> None:
        homes = {name: folder / name for name in ("AMSP", "BMSP", "OrdererMSP")}
        for name, home in homes.items():
            ca.create_organisation(home, name)
        self._peers = [ca.issue(homes[name], "peer0", "peer") for name in ("AMSP", "BMSP")]
        self._orderer = ca.issue(homes["OrdererMSP"], "orderer0", "orderer")
        self._submitter = ca.issue(homes["AMSP"], "scanner", "scanner")
        roots = {name: (homes[name] / "ca.pem").read_bytes() for name in ("AMSP", "BMSP")}
        orderer_root = (homes["OrdererMSP"] / "ca.pem").read_bytes()
        self._config = config_envelope("lotline", roots, orderer_root, 0)
        self._written: dict[str, int] = {}

    def blocks(self, events: int) -> Iterator[common_pb2.Block]:
        """The first block, and blocks of one transaction each."""
        block = chain.assemble(0, b"", [self._config], None, b"")
        block.metadata.metadata[chain.TRANSACTIONS_FILTER] = bytes([transaction_pb2.VALID])
        yield block
        committed = b""
        for number in range(1, events // _BATCH + 1):
            header = block.header
            previous = chain.header_hash(header.number, header.previous_hash, header.data_hash)
            envelope, writes = self._transaction(number)
            block = chain.assemble(number, previous, [envelope], self._orderer, number.to_bytes(24, "big"))
            codes = bytes([transaction_pb2.VALID])
            updates = chain.update_bytes([("lotline", key, value, 0) for key, value in writes.items()], number)
            committed = chain.commit_hash(codes, updates, committed)
            block.metadata.metadata[chain.TRANSACTIONS_FILTER] = codes
            block.metadata.metadata[chain.COMMIT_HASH] = common_pb2.Metadata(value=committed).SerializeToString()
            yield block

    def _transaction(self, number: int) -> tuple[bytes, dict[str, bytes]]:
        first = number * _BATCH
        own = [f"\x00{kind}\x00{n:064x}\x00" for n in range(first, first + _BATCH) for kind in ("EV", "EA")]
        again = [f"\x00TH\x00{n * 7919 % _STATES:064x}\x00" for n in range(first, first + _BATCH)]
        writes = dict.fromkeys([*own, *again], _RECORD)
        reads = [kv_rwset_pb2.KVRead(key=key) for key in own]
        for key in again:
            block = self._written.get(key)
            version = None if block is None else kv_rwset_pb2.Version(block_num=block)
            reads.append(kv_rwset_pb2.KVRead(key=key, version=version))
            self._written[key] = number
        values = [kv_rwset_pb2.KVWrite(key=key, value=value) for key, value in writes.items()]
        rwset = kv_rwset_pb2.KVRWSet(reads=reads, writes=values).SerializeToString()
        spaces = [rwset_pb2.NsReadWriteSet(namespace="lotline", rwset=rwset)]
        results = rwset_pb2.TxReadWriteSet(ns_rwset=spaces).SerializeToString()
        who, nonce = self._submitter, number.to_bytes(24, "big")
        proposal = Proposal.create("lotline", "lotline", [b"capture"], who.creator, nonce, datetime.now(UTC))
        answer = proposal_response_pb2.Response(status=200)
        return endorsed_envelope(proposal, "lotline", results, None, answer, self._peers, who, "1.0"), writes


def resident() -> int:
    """Bytes of memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def long_chain(folder: Path, events: int) -> tuple[float, float]:
    """Events a second, and how much larger the process is at the end than after a tenth."""
    spent, tenth, done = 0.0, 0, 0
    with closing(Verifier()) as verifier:
        for block in Maker(folder).blocks(events):
            started = time.perf_counter()
            if found := verifier.add(block):
                raise RuntimeError(f"a good chain is found to be broken: {found[0]}")
            spent += time.perf_counter() - started
            done += _BATCH
            if not tenth and done >= events // 10:
                tenth = resident()
    return events / spent, resident() / tenth


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else _LONG
    with tempfile.TemporaryDirectory() as folder:
        blocks = asyncio.run(real_chain(Path(folder) / "real"))
        rounds = [(parse(blocks), verify(blocks)) for _ in range(_ROUNDS)]
        parsed, verified = (min(times) for times in zip(*rounds, strict=True))
        rate, growth = long_chain(Path(folder) / "long", events)
    count = _PALLETS * EVENTS_A_PALLET
    print(
        f"{count:,} events of the contract in {len(blocks)} blocks: verified in {verified:.2f} s, {verified / parsed:.2f} times as "
        f"long as taking them apart ({parsed:.2f} s); {events:,} events of a long chain: {rate:,.0f}/s, memory {growth:.2f} "
        "times what it is after a tenth"
    )
    report("chain verified, every rule", measured=count / verified, target=10_000, unit="events/s")
    report(
        "chain verified, beside taking it apart",
        measured=verified / parsed,
        target=8,
        unit="times",
        lower_is_better=True,
    )
    report(
        "long chain verified, memory beside its first tenth",
        measured=growth,
        target=1.5,
        unit="times",
        lower_is_better=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
