"""From an exception to words for a person and an exit code.

The exceptions of the other parts are looked up among the modules already loaded: what nobody
imported, nobody raised.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

from lotline.errors import BUG, NEGATIVE, UNAVAILABLE, USAGE, CommandError
from lotline.extras import extra_of, how_to_get
from lotline.output import DEFAULT_HOME, Session, print_json


@dataclass(frozen=True)
class Telling:
    """What to say about a failure."""

    message: str
    hint: str
    code: int


# (module, class) -> exit code, hint; the exception's own words are the message
_KNOWN = {
    ("instance.settings", "SettingsError"): (UNAVAILABLE, ""),
    ("instance.postgres", "PostgresError"): (
        UNAVAILABLE,
        "Is the database of `database_url` (HOME/config.toml) there? What was accepted is in it.",
    ),
    ("epcis", "InvalidDocument"): (NEGATIVE, "Correct the fields named above; nothing of it was captured."),
    ("epcis.identifiers", "InvalidIdentifier"): (
        USAGE,
        "Give a GS1 Digital Link, an EPC URN or a GS1 element string.",
    ),
    ("sources.errors", "WrongFileError"): (USAGE, ""),
    ("sources.errors", "SourceError"): (NEGATIVE, ""),
    ("ledger.errors", "RejectedByContract"): (NEGATIVE, ""),
    ("ledger.errors", "TooLarge"): (NEGATIVE, "Put less into one document."),
    ("ledger.errors", "InvalidIdentity"): (
        NEGATIVE,
        "See the organisations and identities with `lotline status`.",
    ),
    ("ledger.errors", "LedgerError"): (UNAVAILABLE, "See HOME/logs, and try again once the cause is gone."),
    ("ledger.schema", "NewerSchemaError"): (
        UNAVAILABLE,
        "Run the version that wrote it, or one after it; `lotline restore` brings back a backup of before.",
    ),
    ("ledger.readonly", "UnfinishedCopyError"): (
        UNAVAILABLE,
        "Make the folder writable, or copy it while nothing runs; `lotline backup` makes copies that are whole.",
    ),
    ("relay.inbox", "InboxFullError"): (UNAVAILABLE, "Is the disk full?"),
    ("instance.backup", "BackupError"): (NEGATIVE, ""),
    ("readmodel.following", "ChainMismatchError"): (UNAVAILABLE, ""),
    ("httpx", "HTTPError"): (UNAVAILABLE, "Is the server up? `lotline status` tells."),
}


def explain(error: Exception) -> Telling:
    """Words and exit code for any exception."""
    if isinstance(error, CommandError):
        return Telling(error.message, error.hint, error.code)
    for (module, name), (code, hint) in _KNOWN.items():
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and isinstance(error, kind):
            return Telling(_words(error), getattr(error, "hint", "") or hint, code)
    extra = extra_of(error.name or "") if isinstance(error, ModuleNotFoundError) else None
    if extra is not None:
        return Telling(f"this needs the extra {extra!r}: {error}", how_to_get(extra), UNAVAILABLE)
    engine = sys.modules.get("readmodel.engine")  # not loaded for this: commands start quickly
    if engine is not None and isinstance(error, engine.NOT_OF_THIS_VERSION) and engine.is_missing(error):
        return Telling(
            f"the read model was made by another version of Lotline: {engine.said(error)}",
            "`lotline up` brings it to this version; `lotline rebuild` makes it anew from the ledger.",
            UNAVAILABLE,
        )
    if engine is not None and isinstance(error, engine.DATABASE_AWAY):
        return Telling(
            f"the read model's database can't be used: {engine.said(error)}",
            "Is it running? Its address is `database_url` in HOME/config.toml.",
            UNAVAILABLE,
        )
    if isinstance(error, OSError):
        return Telling(_words(error), "Check the path and its permissions.", UNAVAILABLE)
    if isinstance(error, sqlite3.Error):
        return Telling(f"a database of this instance can't be used: {error}", "Is the disk full?", UNAVAILABLE)
    return Telling(f"{type(error).__name__}: {error}", "This is a fault in Lotline: run again with --debug.", BUG)


def _about_reading(error: Exception, home: Path) -> Telling | None:
    """Something was to be written in a home that can only be read: that says more than which file it was."""
    cause: object = error
    while isinstance(cause, Exception):
        denied = isinstance(cause, OSError) and cause.errno in (errno.EACCES, errno.EROFS)
        code = getattr(cause, "sqlite_errorcode", None) or getattr(
            getattr(cause, "orig", None), "sqlite_errorcode", None
        )
        if denied or (code or 0) & 0xFF == sqlite3.SQLITE_READONLY or "readonly database" in str(cause):
            if os.access(home, os.R_OK) and not os.access(home, os.W_OK):
                hint = "`status`, `thing`, `trace` and `disruptions` work on it; to write, copy it into a folder of your own."
                return Telling(f"{home} can only be read", hint, UNAVAILABLE)
            return None
        cause = cause.__cause__
    return None


def tell(error: Exception, session: Session | None) -> int:
    """Say on stderr what went wrong (and on stdout with ``--json``); returns the exit code.

    The command line's own exceptions (wrong option, exit) pass through: typer knows how to tell those. So does a reader of the output
    that has gone.
    """
    if type(error).__module__.startswith("typer") or isinstance(error, BrokenPipeError):
        raise error
    session = session or Session(Path(DEFAULT_HOME))
    if session.debug:
        session.err.print_exception(show_locals=False)
    telling = _about_reading(error, session.home) or explain(error)
    session.err.print("error:", style="bold red", end=" ")
    session.err.print(telling.message, markup=False)
    if telling.hint:
        session.err.print(telling.hint, markup=False)
    if session.json:
        print_json({"error": {"message": telling.message, "hint": telling.hint, "exitCode": telling.code}})
    return telling.code


def _words(error: Exception) -> str:
    problems = getattr(error, "problems", None)
    if not problems:
        return str(error) or type(error).__name__
    lines = [f"{problem.field}: {problem.message}" for problem in problems[:20]]
    more = len(problems) - len(lines)
    return "\n".join([*lines, f"… and {more} more" if more else ""]).rstrip()
