"""From what a gateway says to the ledger port's errors: what may be tried again, and what never."""

from __future__ import annotations

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.peer import transaction_pb2

from fabric.gateway.errors import CommitError, EndorseError, ErrorDetail, GatewayError, SubmitError
from fabric.words.identity import Identity
from ledger.errors import Conflict, InvalidIdentity, LedgerError, RejectedByContract, TooLarge, Unavailable
from ledger.network.classify import after_commit, before_ordering, is_duplicate, ordering, too_large
from ledger.network.peers import unavailable

Code = grpc.StatusCode
WHO = Identity("scanner", "FarmMSP", b"", ec.generate_private_key(ec.SECP256R1()))
FAILED = "failed to endorse transaction, see attached details for more info"
OLD = "cannot serve block [0]. The ledger is bootstrapped from a snapshot. First available block = [7]"
OTHERS = "failed to collect enough transaction endorsements, see attached details for more info"


def refused(code: grpc.StatusCode, message: str, *details: str) -> GatewayError:
    return EndorseError(message, code, [ErrorDetail("peer:1", "FarmMSP", text) for text in details])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused(Code.UNAVAILABLE, "connection refused"), Unavailable),
        (refused(Code.DEADLINE_EXCEEDED, "deadline"), Unavailable),
        (
            refused(Code.UNKNOWN, "too many requests for /gateway.Gateway, exceeding concurrency limit (500)"),
            Unavailable,
        ),
        (refused(Code.ABORTED, FAILED, "chaincode response 409, not yours"), RejectedByContract),
        (refused(Code.ABORTED, FAILED, "transaction returned with failure: KeyError: 'x'"), RejectedByContract),
        (refused(Code.ABORTED, OTHERS, "chaincode response 404, there is no party 1"), Unavailable),
        (refused(Code.ABORTED, OTHERS, "transaction returned with failure: KeyError: 'x'"), Unavailable),
        (refused(Code.ABORTED, FAILED, "chaincode stream terminated"), Unavailable),
        (
            refused(Code.ABORTED, FAILED, "failed to execute transaction f1: error sending: txid: f1(lotline) exists"),
            Unavailable,
        ),
        (refused(Code.RESOURCE_EXHAUSTED, "Sent message larger than max (9 vs. 8)"), TooLarge),
        (
            refused(Code.ABORTED, FAILED, "transaction returned with failure: received message larger than max"),
            TooLarge,
        ),
        (refused(Code.ABORTED, FAILED, "chaincode response 400, it is larger than max"), RejectedByContract),
        (
            refused(Code.ABORTED, "failed to collect enough endorsements: ProposalResponsePayloads do not match"),
            Unavailable,
        ),
        (refused(Code.ABORTED, OTHERS, "chaincode response 404, party P is not registered"), Unavailable),
        (
            refused(Code.ABORTED, FAILED, "error validating proposal: access denied: creator org unknown"),
            InvalidIdentity,
        ),
        (refused(Code.FAILED_PRECONDITION, "no combination of peers can be derived"), Unavailable),
        (
            refused(Code.UNKNOWN, "evaluate call to endorser returned error: chaincode response 500, " + OLD),
            Unavailable,
        ),
    ],
)
def test_before_ordering(error: GatewayError, kind: type[LedgerError]) -> None:
    found = before_ordering(error, WHO)
    assert type(found) is kind
    assert not found.outcome_unknown  # nothing was sent to an orderer


SHOP = "peer0.shop:7051"
FORGED = [
    "chaincode response 400, no",
    "transaction returned with failure: KeyError",
    "access denied: creator org unknown",
    "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
    "failed to create new connection: context deadline exceeded",
    "identity not yet known through gossip",
    "signature of creator is not valid",
]


@pytest.mark.parametrize("words", FORGED)
@pytest.mark.parametrize("code", [Code.ABORTED, Code.UNKNOWN, Code.FAILED_PRECONDITION, Code.UNAVAILABLE])
def test_no_word_of_another_organisations_peer_ends_anything(words: str, code: grpc.StatusCode) -> None:
    found = before_ordering(EndorseError(FAILED, code, [ErrorDetail(SHOP, "ShopMSP", words)]), WHO)
    assert type(found) is Unavailable
    assert found.retryable


def test_words_about_size_alone_are_no_verdict() -> None:
    """Less at a time may pass; whether a single job is too large is not for a word to say."""
    said = before_ordering(EndorseError(FAILED, Code.ABORTED, [ErrorDetail(SHOP, "ShopMSP", "larger than max")]), WHO)
    assert isinstance(said, TooLarge)
    assert said.disputed
    sure = before_ordering(refused(Code.RESOURCE_EXHAUSTED, "Sent message larger than max (9 vs. 8)"), WHO)
    assert not sure.disputed
    orderer = SubmitError("x", Code.ABORTED, [ErrorDetail("o:1", "OrdererMSP", "9 bytes exceeds maximum allowed 8")])
    for size, disputed in ((1_000, True), (9_000_000, False)):
        found = too_large(orderer, size)
        assert found is not None
        assert found.disputed is disputed


def test_a_network_without_a_leader_is_waited_for() -> None:
    error = EndorseError("SERVICE_UNAVAILABLE: no Raft leader", Code.UNAVAILABLE, [])
    assert type(before_ordering(error, WHO)) is Unavailable


def test_those_without_peers_of_their_own_are_told_by_the_readers() -> None:
    error = EndorseError(FAILED, Code.ABORTED, [ErrorDetail(SHOP, "ShopMSP", "chaincode response 409, not yours")])
    assert isinstance(before_ordering(error, WHO, {"FarmMSP", "ShopMSP"}), RejectedByContract)


def test_the_contracts_own_words_and_status() -> None:
    found = before_ordering(refused(Code.ABORTED, FAILED, "chaincode response 409, a | b", "more"), WHO)
    assert isinstance(found, RejectedByContract)
    assert (found.status, found.message) == (409, "a | b")


def test_an_expired_certificate_is_no_peer_that_is_away() -> None:
    """Though the gateway, whose peer says it before its own code runs, answers as if the peer were gone."""
    error = refused(Code.UNAVAILABLE, FAILED, "rpc error: code = Unknown desc = proposal client identity expired")
    assert not unavailable(error)
    assert isinstance(before_ordering(error, WHO), InvalidIdentity)


def test_who_is_refused_is_named() -> None:
    found = before_ordering(refused(Code.ABORTED, FAILED, "access denied: creator org unknown"), WHO)
    assert "scanner of FarmMSP" in str(found)


def test_whose_peer_is_away_is_named() -> None:
    found = before_ordering(refused(Code.ABORTED, FAILED, "connection refused"), WHO)
    assert str(found).endswith("FarmMSP peer:1: connection refused")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("MVCC_READ_CONFLICT", Conflict),
        ("PHANTOM_READ_CONFLICT", Conflict),
        ("ENDORSEMENT_POLICY_FAILURE", Conflict),
        ("CHAINCODE_VERSION_CONFLICT", Conflict),
        ("BAD_CREATOR_SIGNATURE", Conflict),
        ("INVALID_WRITESET", Conflict),
    ],
)
def test_after_commit(code: str, kind: type[LedgerError]) -> None:
    error = CommitError("tx", transaction_pb2.TxValidationCode.Value(code), 7)
    assert type(after_commit(error)) is kind


def test_a_duplicate_is_known() -> None:
    assert is_duplicate(refused(Code.FAILED_PRECONDITION, FAILED, "duplicate transaction found [ab]. Creator [cd]"))
    assert not is_duplicate(refused(Code.ABORTED, FAILED, "chaincode response 500, duplicate"))


NOBODY = "no orderers could successfully process transaction"


@pytest.mark.parametrize(
    ("message", "details", "name"),
    [
        (NOBODY, ["could not connect"], "no_orderers"),
        (NOBODY, [], "no_leader"),
        ("no orderer nodes available", [], "no_orderers"),
        ("submit timeout expired while broadcasting to ordering service", [], "no_orderers"),
        (
            "insufficient number of orderers could successfully process transaction to satisfy quorum requirement",
            ["x"],
            "no_orderers",
        ),
        ("failed to connect to all addresses", [], ""),
        ("the peer is away", [NOBODY], ""),
        ("received unsuccessful response from orderer: status=BAD_REQUEST, info=no", [], ""),
    ],
)
def test_why_the_orderers_took_nothing(message: str, details: list[str], name: str) -> None:
    said = [ErrorDetail("orderer0:1", "OrdererMSP", text) for text in details]
    assert ordering(SubmitError(message, Code.UNAVAILABLE, said)) == name
