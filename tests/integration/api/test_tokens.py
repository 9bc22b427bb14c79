"""Tokens: bound, hashed, revocable at once, cheap to check."""

from __future__ import annotations

import timeit
from pathlib import Path

import pytest

from instance.tokens import TokenStore


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "tokens.db")


def test_a_token_names_its_principal(store: TokenStore) -> None:
    principal = store.find(store.create("scanner", "scanner", "FarmMSP", "dock 3"))
    assert principal is not None
    assert (principal.identity, principal.role, principal.msp_id) == ("scanner", "scanner", "FarmMSP")


def test_the_file_does_not_hold_the_token(store: TokenStore, tmp_path: Path) -> None:
    token = store.create("scanner", "scanner", "FarmMSP")
    store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in content
    assert token.removeprefix("lot_").encode() not in content


@pytest.mark.parametrize("wrong", ["", "x", "lot_", "lot_" + "A" * 43, "' OR 1=1 --", "\ud800", "é" * 5000])
def test_other_texts_are_nobody(store: TokenStore, wrong: str) -> None:
    store.create("scanner", "scanner", "FarmMSP")
    assert store.find(wrong) is None


def test_revoking_in_another_process_works_at_once(store: TokenStore, tmp_path: Path) -> None:
    token = store.create("scanner", "scanner", "FarmMSP")
    principal = store.find(token)
    assert principal is not None
    other = TokenStore(tmp_path / "tokens.db")
    assert other.revoke(principal.token_id)
    assert store.find(token) is None
    assert not other.revoke(principal.token_id)
    assert not other.revoke("nobody")


def test_last_use_is_kept(store: TokenStore) -> None:
    store.find(store.create("scanner", "scanner", "FarmMSP", "used"))
    store.create("scanner", "scanner", "FarmMSP", "never used")
    used = {info.label: info.last_used_at for info in store.tokens()}
    assert used["used"] is not None
    assert used["never used"] is None


def test_an_unknown_role_is_refused(store: TokenStore) -> None:
    with pytest.raises(ValueError, match="no role 'root'"):
        store.create("scanner", "root", "FarmMSP")  # type: ignore[arg-type]


def test_checking_a_token_costs_microseconds(store: TokenStore) -> None:
    token = store.create("scanner", "scanner", "FarmMSP")
    seconds = min(timeit.repeat(lambda: store.find(token), number=200, repeat=5)) / 200
    assert seconds < 200e-6


def test_a_file_that_cannot_be_written_fails_nobodys_request(store: TokenStore, tmp_path: Path) -> None:
    """And what could not be written is written later."""
    token = store.create("scanner", "scanner", "FarmMSP")
    store.FLUSH_SECONDS = -1.0
    store._connection.execute("PRAGMA query_only = 1")
    assert store.find(token) is not None
    store.flush()
    store._connection.execute("PRAGMA query_only = 0")
    assert store.tokens()[0].last_used_at is not None


def test_closing_does_not_fail_either(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "others.db")
    assert store.find(store.create("scanner", "scanner", "FarmMSP")) is not None
    store._connection.execute("PRAGMA query_only = 1")
    store.close()


def test_a_secret_stays_the_same(store: TokenStore, tmp_path: Path) -> None:
    path = tmp_path / "secrets.db"
    first = TokenStore(path)
    secret = first.secret("pages")
    assert len(secret) == 32
    assert first.secret("pages") == secret
    assert first.secret("other") != secret
    first.close()
    again = TokenStore(path)
    assert again.secret("pages") == secret
    again.close()
