"""What no peer can pass on to its chaincode is refused before it is sent."""

from __future__ import annotations

import pytest

from ledger.errors import TooLarge
from ledger.network.limits import MESSAGE_BYTES, check_size


def test_arguments_count_twice_and_transient_data_once() -> None:
    most = MESSAGE_BYTES // 2 - 64 * 1024
    check_size([bytes(most // 2), bytes(most // 2)])
    check_size([b"put"], {"secret": bytes(MESSAGE_BYTES - 128 * 1024)})
    with pytest.raises(TooLarge, match="larger than 104857600 bytes"):
        check_size([bytes(most), bytes(64 * 1024)])
    with pytest.raises(TooLarge):
        check_size([b"put"], {"secret": bytes(MESSAGE_BYTES)})
