"""Files that were given for others, and what is left of a log for a person."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotline.delivery import last_words
from sources.kinds import kind


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"PK\x03\x04\x14\x00", "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"\xef\xbb\xbf\n <?xml", "XML"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xff\xfe{\x00", "UTF-16"),
        (b"{\x00\x00", "no text"),
    ],
)
def test_it_is_told_what_a_file_is(start: bytes, words: str) -> None:
    assert words in kind(start)


@given(st.text(st.characters(exclude_characters="<\0", exclude_categories=["Cs"])))
def test_text_is_left_to_whoever_reads_it(text: str) -> None:
    start = text.encode()
    assert kind(start) == "" or start.startswith((b"PK\x03\x04", b"%PDF-", b"SQLite format 3\0"))


def line(**members: str) -> str:
    return orjson.dumps(members).decode()


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("a\nzsh: killed\n\n", "zsh: killed"),
        (line(event="worker failed", exception="Traceback …\n  File x\nledger.errors.Unavailable: taken"), "ledger.errors.Unavailable: taken"),
        (line(event="a") + "\n" + line(event="projector waits", error="away"), "away"),
        (line(event="worker stopped"), "worker stopped"),
        ("[1, 2]", ""),
    ],
)  # fmt: skip
def test_the_last_words_of_a_log_are_no_traceback(log: str, words: str) -> None:
    assert last_words(log) == words
