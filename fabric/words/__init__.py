"""Fabric's words, each once: what is hashed, signed and stored, in Fabric's own messages. No I/O.

A transaction, from the call to the block and back:

>>> from datetime import UTC, datetime
>>> from fabric_protos.common import common_pb2
>>> from fabric_protos.peer import proposal_response_pb2
>>> from fabric.words import chain
>>> from fabric.words.blocks import decode_block
>>> from fabric.words.identity import Identity
>>> from fabric.words.keys import KeyType
>>> from fabric.words.proposal import Proposal
>>> from fabric.words.transaction import endorsed_envelope
>>> alice = Identity("alice", "Org1MSP", b"her certificate", KeyType.P256.generate())
>>> peer = Identity("peer0", "Org1MSP", b"its certificate", KeyType.P256.generate())
>>> called = datetime(2026, 1, 1, tzinfo=UTC)
>>> proposal = Proposal.create("channel", "basic", [b"put", b"colour", b"blue"], alice.creator, b"a nonce", called)
>>> answer = proposal_response_pb2.Response(status=200, payload=b"done")
>>> envelope = endorsed_envelope(proposal, "basic", b"", None, answer, [peer], alice, version="1.0")
>>> block = chain.assemble(1, b"hash of block 0", [envelope], peer, b"another nonce")
>>> block.metadata.metadata[chain.TRANSACTIONS_FILTER] = b"\\0"
>>> (found,) = decode_block(block).transactions
>>> found.tx_id == proposal.tx_id, found.creator_msp, found.function, found.response_payload, found.valid
(True, 'Org1MSP', 'put', b'done', True)
"""
