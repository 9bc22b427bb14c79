"""Who signs: what transactions carry of them, and what a certificate says of them."""

from __future__ import annotations

import json

import pytest
from cryptography import x509

from fabric.words.certificates import ATTRIBUTES_OID
from fabric.words.identity import Identity
from tests.unit.fabric.forge import Authority


@pytest.fixture(scope="module")
def farm() -> Authority:
    """An organisation."""
    return Authority("FarmMSP")


def test_attributes_come_from_the_extension_of_fabric_ca(farm: Authority) -> None:
    scanner = farm.issue("scanner", attributes={"role": "scanner", "gln": "9506000000018"})
    assert scanner.attributes == {"role": "scanner", "gln": "9506000000018"}
    extension = x509.load_pem_x509_certificate(scanner.certificate).extensions.get_extension_for_oid(ATTRIBUTES_OID)
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.oid.dotted_string == "1.2.3.4.5.6.7.8.1"
    assert json.loads(extension.value.value)["attrs"]["role"] == "scanner"


def test_a_certificate_without_the_extension_has_no_attributes(farm: Authority) -> None:
    assert farm.issue("somebody").attributes == {}


def test_the_creator_is_the_serialised_identity(farm: Authority) -> None:
    """Field 1: the MSP; field 2: the certificate as PEM. Its bytes are part of every transaction id."""
    somebody = farm.issue("somebody")
    size = len(somebody.certificate)
    assert 128 <= size < 16384  # a length of two bytes
    length = bytes([size & 0x7F | 0x80, size >> 7])
    assert somebody.creator == b"\x0a\x07FarmMSP" + b"\x12" + length + somebody.certificate


def test_a_key_is_not_shown_and_does_not_tell_identities_apart(farm: Authority) -> None:
    somebody = farm.issue("somebody")
    same = Identity(somebody.name, somebody.msp_id, somebody.certificate, farm.issue("other").key)
    assert "key" not in repr(somebody)
    assert same == somebody
