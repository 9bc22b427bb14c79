"""What counts as saying that something is recalled."""

from __future__ import annotations

from typing import Any

import pytest

from readmodel.recall import says_recalled


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"disposition": "recalled"}, True),
        ({"persistentDisposition": {"set": ["completeness_verified", "recalled"]}}, True),
        ({"persistentDisposition": {"unset": ["recalled"]}}, False),
        ({"disposition": "recalled", "persistentDisposition": {"unset": ["recalled"]}}, True),
        ({"disposition": "in_transit"}, None),
        ({"persistentDisposition": {"set": ["expired"], "unset": ["damaged"]}}, None),
        ({"persistentDisposition": {}}, None),
        ({}, None),
    ],
)
def test_recalls_and_their_end(event: dict[str, Any], said: bool | None) -> None:
    assert says_recalled({"type": "ObjectEvent", **event}) is said
