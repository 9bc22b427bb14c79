"""The local authority: its certificates, its files, and who is let in with them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from fabric.words.certificates import ATTRIBUTES_OID
from fabric.words.identity import Identity
from fabric.words.keys import P256_ORDER
from fabric.words.membership import Membership, NotAMemberError
from ledger import ca

MSP = "FarmMSP"


@pytest.fixture
def farm(tmp_path: Path) -> Path:
    folder = tmp_path / MSP
    ca.create_organisation(folder, MSP, "The Farm")
    return folder


def membership(*folders: Path) -> Membership:
    return Membership({ca.msp_id(folder): [(folder / "ca.pem").read_bytes()] for folder in folders})


@pytest.mark.parametrize(
    ("role", "unit"), [("admin", "admin"), ("peer", "peer"), ("orderer", "orderer"), ("scanner", "client")]
)
def test_a_certificate_as_fabric_ca_makes_it(farm: Path, role: str, unit: str) -> None:
    identity = ca.issue(farm, "dock-3", role, {"gln": "9506000111114"})
    certificate = x509.load_pem_x509_certificate(identity.certificate)
    (named,) = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert named.value == unit
    (common,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert common.value == "dock-3"
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID)
    assert not extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert json.loads(extension.value.value) == {
        "attrs": {
            "gln": "9506000111114",
            "hf.Affiliation": "",
            "hf.EnrollmentID": "dock-3",
            "hf.Type": unit,
            "role": role,
        }
    }
    assert identity.attributes["role"] == role
    assert membership(farm).check(identity)[:2] == (MSP, unit)


def test_keys_are_their_owners_only(farm: Path) -> None:
    ca.issue(farm, "dock-3", "scanner")
    for key in (farm / "ca.key", farm / "identities" / "dock-3" / "key.pem"):
        assert key.stat().st_mode & 0o777 == 0o600


def test_an_identity_comes_back_from_its_files(farm: Path) -> None:
    issued = ca.issue(farm, "dock-3", "scanner")
    loaded = ca.load_identity(farm, "dock-3")
    assert loaded == issued
    assert membership(farm).check(loaded).msp_id == MSP
    assert ca.identities(farm) == ["dock-3"]
    with pytest.raises(FileNotFoundError):
        ca.load_identity(farm, "dock-4")


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP521R1())])
def test_keys_that_fabric_does_not_know(farm: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    ca.issue(farm, "dock-3", "scanner")
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (farm / "identities" / "dock-3" / "key.pem").write_bytes(pem)
    with pytest.raises(ValueError, match="P-256 or P-384, or an Ed25519 key"):
        ca.load_identity(farm, "dock-3")


def test_an_authority_is_made_once(farm: Path) -> None:
    before = (farm / "ca.pem").read_bytes()
    ca.create_organisation(farm, MSP)
    assert (farm / "ca.pem").read_bytes() == before


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 65, "a\x00b", "a\n"])
def test_names_that_could_leave_their_folder(farm: Path, name: str) -> None:
    with pytest.raises(ValueError, match="can't be a name"):
        ca.issue(farm, name, "scanner")
    with pytest.raises(ValueError, match="can't be a name"):
        ca.create_organisation(farm / "x", name)


def test_a_certificate_never_outlives_its_authority(farm: Path) -> None:
    identity = ca.issue(farm, "dock-3", "scanner", valid_for=dt.timedelta(days=36_500))
    authority = x509.load_pem_x509_certificate((farm / "ca.pem").read_bytes())
    assert x509.load_pem_x509_certificate(identity.certificate).not_valid_after_utc == authority.not_valid_after_utc


def test_expired_and_not_yet_valid(farm: Path) -> None:
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    expired = ca.issue(farm, "old", "scanner", valid_from=now - 2 * day, valid_for=day)
    early = ca.issue(farm, "early", "scanner", valid_from=now + day, valid_for=day)
    with pytest.raises(NotAMemberError, match="expired on"):
        membership(farm).check(expired)
    with pytest.raises(NotAMemberError, match="not valid before"):
        membership(farm).check(early)
    assert membership(farm).member(expired.creator).msp_id == MSP  # what it signed while valid stays verifiable


def test_validity_is_looked_at_every_time(farm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = ca.issue(farm, "dock-3", "scanner", valid_for=dt.timedelta(days=1))
    members = membership(farm)
    members.check(identity)

    class Later(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            return dt.datetime.now(tz) + dt.timedelta(days=2)

    monkeypatch.setattr("fabric.words.membership.datetime", Later)
    with pytest.raises(NotAMemberError, match="expired"):
        members.check(identity)


def test_another_authority_of_the_same_name(farm: Path, tmp_path: Path) -> None:
    forger = tmp_path / "forger"
    ca.create_organisation(forger, MSP)
    with pytest.raises(NotAMemberError, match="not issued by the authority of FarmMSP"):
        membership(farm).check(ca.issue(forger, "dock-3", "admin"))


def test_a_member_of_one_organisation_is_not_one_of_another(farm: Path, tmp_path: Path) -> None:
    shop = tmp_path / "ShopMSP"
    ca.create_organisation(shop, "ShopMSP")
    farmer = ca.issue(farm, "dock-3", "admin")
    disguised = Identity(farmer.name, "ShopMSP", farmer.certificate, farmer.key)
    with pytest.raises(NotAMemberError, match="ShopMSP"):
        membership(farm, shop).check(disguised)


def test_a_certificate_without_its_key(farm: Path) -> None:
    identity = ca.issue(farm, "dock-3", "admin")
    thief = Identity(identity.name, MSP, identity.certificate, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(NotAMemberError, match="does not belong to its certificate"):
        membership(farm).check(thief)


def test_the_authority_itself_is_nobody(farm: Path) -> None:
    key = ca.issue(farm, "dock-3", "admin").key
    with pytest.raises(NotAMemberError, match="as unit"):
        membership(farm).check(Identity("ca", MSP, (farm / "ca.pem").read_bytes(), key))


@given(garbage=st.binary(max_size=200))
def test_garbage_is_nobody(garbage: bytes) -> None:
    with pytest.raises(NotAMemberError):
        Membership({}).member(garbage)


@given(message=st.binary(max_size=500))
def test_signatures_verify_and_have_the_smaller_s(message: bytes) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signature = Identity("x", MSP, b"", key).sign(message)
    key.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))
    assert utils.decode_dss_signature(signature)[1] <= P256_ORDER // 2
