from __future__ import annotations

import pytest

from epcis import cbv


def test_lists_are_complete() -> None:
    lists = [cbv.BIZ_STEPS, cbv.DISPOSITIONS, cbv.BIZ_TRANSACTION_TYPES, cbv.SOURCE_DESTINATION_TYPES,
    cbv.ERROR_REASONS,
             cbv.MEASUREMENT_TYPES, cbv.SENSOR_ALERT_TYPES, cbv.COMPONENTS]  # fmt: skip
    assert [len(vocabulary.words) for vocabulary in lists] == [41, 33, 13, 3, 2, 72, 2, 14]


def test_words_and_addresses() -> None:
    assert "shipping" in cbv.BIZ_STEPS
    assert cbv.BIZ_STEPS.iri("shipping") == "https://ref.gs1.org/cbv/BizStep-shipping"
    assert cbv.BIZ_STEPS.word("https://ref.gs1.org/cbv/BizStep-shipping") == "shipping"
    assert cbv.BIZ_STEPS.iri("example:other") == "example:other"
    assert cbv.BIZ_STEPS.word("example:other") == "example:other"
    assert list(cbv.ERROR_REASONS) == ["did_not_occur", "incorrect_data"]


@pytest.mark.parametrize(
    ("urn", "address"),
    [
        ("urn:epcglobal:cbv:bizstep:receiving", "https://ref.gs1.org/cbv/BizStep-receiving"),
        ("urn:epcglobal:cbv:disp:in_transit", "https://ref.gs1.org/cbv/Disp-in_transit"),
        ("urn:epcglobal:cbv:btt:po", "https://ref.gs1.org/cbv/BTT-po"),
        ("urn:epcglobal:cbv:bt:4012345000009:9", "urn:epcglobal:cbv:bt:4012345000009:9"),
    ],
)
def test_older_urns(urn: str, address: str) -> None:
    assert cbv.from_urn(urn) == address
