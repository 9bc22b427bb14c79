"""What a file is that was given for another: told by its first bytes, since its name says what somebody hoped."""

from __future__ import annotations

_EXCEL = "an Excel workbook"
_KINDS = (
    (b"PK\x03\x04", f"{_EXCEL}, or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"{_EXCEL} of the old kind"),
    (b"%PDF-", "a PDF"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"SQLite format 3\0", "a database"),
    (b"<", "XML"),
)
_BLANKS = b"\xef\xbb\xbf \t\r\n"


def kind(start: bytes) -> str:
    """Words for what begins with these bytes and is no text of ours; empty for what may be text."""
    for magic, words in _KINDS:
        if start.startswith(magic) or (magic == b"<" and start[:512].lstrip(_BLANKS).startswith(magic)):
            return words
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16"
    return "no text" if b"\0" in start[:512] else ""
