"""Whose certificate it is: whatever else it holds, it is told from those of an organisation's authority."""

from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.msp import identities_pb2

from fabric.words.client_identity import ClientIdentity
from fabric.words.identity import Identity
from fabric.words.membership import Membership, NotAMemberError
from tests.unit.fabric.forge import Authority

# some of the damaged ones have a negative serial number
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")


@pytest.fixture(scope="module")
def farm() -> Authority:
    """An organisation."""
    return Authority("FarmMSP")


def damaged(whole: Identity) -> list[bytes]:
    """The identity with each bit of its certificate turned in turn."""
    der = x509.load_pem_x509_certificate(whole.certificate).public_bytes(Encoding.DER)
    found = []
    for bit in range(8 * len(der)):
        content = bytearray(der)
        content[bit // 8] ^= 1 << bit % 8
        pem = b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % b64encode(content)
        found.append(identities_pb2.SerializedIdentity(mspid=whole.msp_id, id_bytes=pem).SerializeToString())
    return found


def test_a_damaged_certificate_is_nobodys(farm: Authority) -> None:
    """Only how many bits of the signature's last byte are unused may be said otherwise: it stays the same signature."""
    members = Membership({farm.msp_id: [farm.root]})
    somebody = farm.issue("somebody")
    whole = members.member(somebody.creator)
    refused = 0
    for creator in damaged(somebody):
        try:
            certificate = members.member(creator).certificate
        except NotAMemberError:
            refused += 1
        else:
            assert certificate.tbs_certificate_bytes == whole.certificate.tbs_certificate_bytes
    assert refused >= 8 * len(whole.certificate.tbs_certificate_bytes)


def test_the_contract_reads_a_damaged_certificate_or_says_that_it_cannot(farm: Authority) -> None:
    unreadable = 0  # the peer has verified it: what the contract needs is that it never ends otherwise
    for creator in damaged(farm.issue("somebody", attributes={"role": "scanner"})):
        try:
            ClientIdentity(creator)
        except ValueError:
            unreadable += 1
    assert unreadable > 0


def test_so_many_are_remembered_and_the_others_looked_at_again(
    farm: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fabric.words.membership._KEPT", 2)
    members = Membership({farm.msp_id: [farm.root]})
    people = [farm.issue(f"somebody{n}") for n in range(5)]
    for one in [*people, *people]:
        assert members.member(one.creator).msp_id == farm.msp_id
    assert len(members._members) <= 2
