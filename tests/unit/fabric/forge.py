"""A channel in memory: blocks as a network writes them, with as many transactions and as many faults as a test asks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    policy_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from fabric_protos.peer.lifecycle import chaincode_definition_pb2, db_pb2

from fabric.words import chain
from fabric.words.certificates import ATTRIBUTES_OID
from fabric.words.identity import Identity
from fabric.words.proposal import Proposal
from fabric.words.transaction import sealed
from ledger.embedded.genesis import ORDERER_MSP, config_envelope

VALID: int = transaction_pb2.VALID
CHAINCODE = "lotline"
NOW = dt.datetime(2024, 3, 1, 12, 30, 15, 250_000, tzinfo=dt.UTC)
Version = tuple[int, int]
Change = Callable[[transaction_pb2.TransactionAction, transaction_pb2.ChaincodeActionPayload], None]


class Authority:
    """An organisation's certificate authority."""

    def __init__(self, msp_id: str) -> None:
        self.msp_id = msp_id
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ca.{msp_id}")])
        root = _certificate(self._name, self._name, self._key.public_key()).sign(self._key, hashes.SHA256())
        self.root = root.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, unit: str = "client", attributes: Mapping[str, str] | None = None) -> Identity:
        """A member; the extension for attributes is there only if attributes are given."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit), x509.NameAttribute(NameOID.COMMON_NAME, name)]
        )
        builder = _certificate(subject, self._name, key.public_key())
        if attributes is not None:
            content = json.dumps({"attrs": dict(attributes)}).encode()
            builder = builder.add_extension(x509.UnrecognizedExtension(ATTRIBUTES_OID, content), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Identity(name, self.msp_id, certificate.public_bytes(serialization.Encoding.PEM), key)


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=3650))
    )


def rwset(
    reads: Mapping[str, Version | None] | None = None,
    writes: Mapping[str, bytes | None] | None = None,
    ranges: Sequence[kv_rwset_pb2.RangeQueryInfo] = (),
    policies: Mapping[str, bytes | None] | None = None,
) -> kv_rwset_pb2.KVRWSet:
    """What a call read, wrote (None deletes) and listed, and whose endorsement policies it set (None drops metadata)."""
    return kv_rwset_pb2.KVRWSet(
        reads=[read(key, version) for key, version in (reads or {}).items()],
        writes=[
            kv_rwset_pb2.KVWrite(key=key, is_delete=value is None, value=value or b"")
            for key, value in (writes or {}).items()
        ],
        range_queries_info=ranges,
        metadata_writes=[_metadata(key, policy) for key, policy in (policies or {}).items()],
    )


def _metadata(key: str, policy: bytes | None) -> kv_rwset_pb2.KVMetadataWrite:
    entry = kv_rwset_pb2.KVMetadataEntry(name="VALIDATION_PARAMETER", value=policy or b"")
    return kv_rwset_pb2.KVMetadataWrite(key=key, entries=[] if policy is None else [entry])


def read(key: str, version: Version | None) -> kv_rwset_pb2.KVRead:
    """A key with the version that was found."""
    if version is None:
        return kv_rwset_pb2.KVRead(key=key)
    return kv_rwset_pb2.KVRead(key=key, version=kv_rwset_pb2.Version(block_num=version[0], tx_num=version[1]))


def listing(
    start: str, end: str, found: Mapping[str, Version], *, exhausted: bool = True
) -> kv_rwset_pb2.RangeQueryInfo:
    """A range with the keys that were found in it."""
    reads = kv_rwset_pb2.QueryReads(kv_reads=[read(key, version) for key, version in found.items()])
    return kv_rwset_pb2.RangeQueryInfo(start_key=start, end_key=end, itr_exhausted=exhausted, raw_reads=reads)


def results(found: kv_rwset_pb2.KVRWSet, namespace: str = CHAINCODE) -> bytes:
    """The read-write set of one namespace, as an endorser signs it."""
    entry = rwset_pb2.NsReadWriteSet(namespace=namespace, rwset=found.SerializeToString(deterministic=True))
    return bytes(rwset_pb2.TxReadWriteSet(ns_rwset=[entry]).SerializeToString(deterministic=True))


class Forge:
    """A channel of three organisations; two of them must endorse. ``bft``: so many orderers, numbered from 1.

    ``raft``: chaincodes must be defined before they are called.
    """

    def __init__(self, bft: int = 0, *, raft: bool = False) -> None:
        self.farm, self.shop, self.truck = (Authority(f"{name}MSP") for name in ("Farm", "Shop", "Truck"))
        self.ordering = orderers = Authority(ORDERER_MSP)
        organisations = (self.farm, self.shop, self.truck)
        self.farmer = self.farm.issue("farmer")
        self.peers = [organisation.issue("peer0", "peer") for organisation in organisations]
        self.orderer = orderers.issue("orderer0", "orderer")
        roots = {organisation.msp_id: organisation.root for organisation in organisations}
        self.genesis_envelope = config_envelope("lotline", roots, orderers.root, int(NOW.timestamp()))
        self.consenters = {number: orderers.issue(f"orderer{number}", "orderer") for number in range(1, bft + 1)}
        if bft:
            self.genesis_envelope = _with_consenters(self.genesis_envelope, self.consenters)
        if raft:
            self.genesis_envelope = _ordered_by("etcdraft", self.genesis_envelope)
        self.blocks: list[common_pb2.Block] = []
        self._nonces = 0
        self._commit_hash = b""
        self._seal(chain.assemble(0, b"", [self.genesis_envelope], None, b""), bytes([VALID]))

    def envelope(
        self,
        found: kv_rwset_pb2.KVRWSet,
        *,
        nonce: bytes | None = None,
        submitter: Identity | None = None,
        endorsers: Sequence[Identity] | None = None,
        answer: bytes = b"done",
        raw_results: bytes | None = None,
        chaincode: str = CHAINCODE,
        version: str = "1.0",
        channel: str = "lotline",
        status: int = 200,
        answered_by: str | None = None,
        event_of: str | None = None,
    ) -> bytes:
        """A transaction with this read-write set."""
        self._nonces += 1
        who = submitter or self.farmer
        chosen = self._nonces.to_bytes(24, "big") if nonce is None else nonce
        proposal = Proposal.create(channel, chaincode, [b"capture", b"{}"], who.creator, chosen, NOW)
        response = proposal_response_pb2.Response(status=status, payload=answer)
        signed = results(found, chaincode) if raw_results is None else raw_results
        peers = self.peers if endorsers is None else endorsers
        action = proposal_pb2.ChaincodeAction(
            results=signed,
            response=response,
            chaincode_id=chaincode_pb2.ChaincodeID(name=answered_by or chaincode, version=version),
        )
        if event_of is not None:
            action.events = chaincode_event_pb2.ChaincodeEvent(chaincode_id=event_of).SerializeToString()
        return sealed(proposal, action, peers, who)

    def append(
        self,
        envelopes: Sequence[bytes],
        codes: Sequence[int] | None = None,
        writes: Sequence[tuple[str, bytes | None, int]] = (),
        *,
        orderer: Identity | None = None,
        last_config: int = 0,
        chaincode: str = CHAINCODE,
        hashed: Sequence[tuple[str, bytes, bytes | None, int]] = (),
    ) -> common_pb2.Block:
        """The next block. ``writes``: key, value and transaction of what its valid transactions leave behind;
        ``hashed``: collection, hash of the key, hash of the value and transaction."""
        before = self.blocks[-1].header
        previous = chain.header_hash(before.number, before.previous_hash, before.data_hash)
        nonce = before.number.to_bytes(24, "big")
        block = chain.assemble(
            before.number + 1, previous, envelopes, orderer or self.orderer, nonce, last_config=last_config
        )
        filter_ = bytes([VALID] * len(envelopes)) if codes is None else bytes(codes)
        updates = chain.update_bytes(
            [(chaincode, *write) for write in writes], block.header.number, [(chaincode, *one) for one in hashed]
        )
        self._commit_hash = chain.commit_hash(filter_, updates, self._commit_hash)
        metadata = common_pb2.Metadata(value=self._commit_hash)
        block.metadata.metadata[chain.COMMIT_HASH] = metadata.SerializeToString(deterministic=True)
        return self._seal(block, filter_)

    def define(self, version: str = "1.0", chaincode: str = CHAINCODE) -> common_pb2.Block:
        """A block that commits a chaincode's definition, under the channel's own policy."""
        endorsing = chaincode_definition_pb2.ChaincodeEndorsementInfo(version=version)
        path = policy_pb2.ApplicationPolicy(channel_config_policy_reference="/Channel/Application/Endorsement")
        validating = chaincode_definition_pb2.ChaincodeValidationInfo(validation_parameter=path.SerializeToString())
        said = {"EndorsementInfo": endorsing, "ValidationInfo": validating}
        writes = {
            f"namespaces/fields/{chaincode}/{name}": bytes(
                db_pb2.StateData(Bytes=info.SerializeToString()).SerializeToString()
            )
            for name, info in said.items()
        }
        left = [(key, value, 0) for key, value in writes.items()]
        return self.append(
            [self.envelope(rwset(writes=writes), chaincode="_lifecycle")], writes=left, chaincode="_lifecycle"
        )

    def put(self, key: str, value: bytes, version: Version | None = None) -> common_pb2.Block:
        """A block with one transaction that read a key and wrote it."""
        return self.append([self.envelope(rwset({key: version}, {key: value}))], writes=[(key, value, 0)])

    def _seal(self, block: common_pb2.Block, codes: bytes) -> common_pb2.Block:
        block.metadata.metadata[chain.TRANSACTIONS_FILTER] = codes
        self.blocks.append(block)
        return block


def _ordered_by(consensus: str, envelope: bytes) -> bytes:
    """A channel's configuration with other orderers."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    config = configtx_pb2.ConfigEnvelope.FromString(payload.data)
    orderer = config.config.channel_group.groups["Orderer"]
    orderer.values["ConsensusType"].value = orderer_pb2.ConsensusType(type=consensus).SerializeToString()
    payload.data = config.SerializeToString(deterministic=True)
    return bytes(common_pb2.Envelope(payload=payload.SerializeToString(deterministic=True)).SerializeToString())


def _with_consenters(envelope: bytes, consenters: Mapping[int, Identity]) -> bytes:
    """A channel's configuration changed to BFT."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    config = configtx_pb2.ConfigEnvelope.FromString(payload.data)
    orderer = config.config.channel_group.groups["Orderer"]
    orderer.values["ConsensusType"].value = orderer_pb2.ConsensusType(type="BFT").SerializeToString()
    mapping = [
        configuration_pb2.Consenter(id=number, msp_id=ORDERER_MSP, identity=identity.certificate)
        for number, identity in consenters.items()
    ]
    orderer.values["Orderers"].value = configuration_pb2.Orderers(consenter_mapping=mapping).SerializeToString()
    payload.data = config.SerializeToString(deterministic=True)
    return bytes(common_pb2.Envelope(payload=payload.SerializeToString(deterministic=True)).SerializeToString())


def edited(envelope: bytes, change: Change, signer: Identity) -> bytes:
    """A transaction changed after it was endorsed, and signed again by its submitter."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    body = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    change(transaction.actions[0], body)
    transaction.actions[0].payload = body.SerializeToString(deterministic=True)
    payload.data = transaction.SerializeToString(deterministic=True)
    return signed(payload, signer)


def signed(payload: common_pb2.Payload, signer: Identity) -> bytes:
    """The envelope of a payload."""
    content = payload.SerializeToString(deterministic=True)
    envelope = common_pb2.Envelope(payload=content, signature=signer.sign(content))
    return bytes(envelope.SerializeToString(deterministic=True))
