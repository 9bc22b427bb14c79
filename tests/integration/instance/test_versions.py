"""Files of earlier and of later versions, and homes that can only be read."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from instance.database import connect
from instance.tokens import TokenStore
from ledger.embedded.store import Store
from ledger.readonly import UnfinishedCopyError, open_reader
from ledger.schema import NewerSchemaError, bring_up, version
from tests.integration.lotline.run import answer, lotline
from tests.integration.lotline.test_instance import SSCC, document, event

# What versions without schema numbers wrote.
_TOKENS_OF_OLD = """
CREATE TABLE token (id TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, identity TEXT NOT NULL, msp TEXT NOT NULL,
  role TEXT NOT NULL, label TEXT NOT NULL, created_at TEXT NOT NULL, last_used_at TEXT, revoked_at TEXT) STRICT
"""


def set_version(file: Path, number: int) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"PRAGMA user_version = {number}")
        database.commit()


def version_of(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        return version(database)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance that knows one pallet."""
    made = tmp_path_factory.mktemp("versions") / "home"
    lotline(made, "init", "-o", "FarmMSP")
    lotline(made, "capture", "-", stdin=document(event(1, "commissioning", action="ADD")))
    return made


def test_steps_are_taken_once_and_whole(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as database:
        bring_up(database, ["CREATE TABLE a (x); INSERT INTO a VALUES (';')"])
        with pytest.raises(sqlite3.OperationalError):
            bring_up(database, ["", "CREATE TABLE b (x); CREATE TABLE a (x);"])
        assert version(database) == 1
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("a",)]
        bring_up(database, ["", "ALTER TABLE a ADD COLUMN y;"])
        bring_up(database, ["", "ALTER TABLE a ADD COLUMN y;"])
        assert database.execute("SELECT * FROM a").fetchall() == [(";", None)]
        with pytest.raises(NewerSchemaError, match="later version"):
            bring_up(database, [""])


def test_files_from_before_there_were_versions_open_as_they_are(home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "tokens.db")) as database:
        database.execute(_TOKENS_OF_OLD)
    with closing(TokenStore(tmp_path / "tokens.db")) as store:
        token = store.create("scanner", "scanner", "FarmMSP")
        assert store.find(token) is not None
    assert version_of(tmp_path / "tokens.db") == version_of(home / "tokens.db") > 0
    ledger = Path(shutil.copy(home / "ledger" / "ledger.db", tmp_path / "ledger.db"))
    set_version(ledger, 0)
    height = Store(ledger, read_only=True).height()
    with closing(Store(ledger)) as writer:
        assert writer.height() == height > 1
    assert version_of(ledger) == version_of(home / "ledger" / "ledger.db") > 0


def test_files_of_a_later_version_are_left_alone_and_say_so(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    for file, words in (("tokens.db", ["token", "list"]), ("ledger/ledger.db", ["rebuild"])):
        known = version_of(copy / file)
        set_version(copy / file, known + 1)
        before = (copy / file).read_bytes()
        failed = lotline(copy, *words, code=3)
        assert "later version of Lotline" in failed.stderr
        assert (copy / file).read_bytes() == before
        set_version(copy / file, known)
    lotline(copy, "rebuild")


class Auditor:
    """Somebody who may read a copy of a home, and nothing else: also root obeys the rights of files here."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for path in (*home.rglob("*"), home):
            path.chmod(0o500 if path.is_dir() else 0o400)

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        if drop and shutil.which("setpriv") is None:
            pytest.skip("root may write everything here")
        command = [*drop, sys.executable, "-m", "lotline.cli", "--home", str(self.home), "--json", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def answer(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, code=code).stdout)

    def leave(self) -> None:
        for path in (self.home, *self.home.rglob("*")):
            path.chmod(0o700)


def test_an_auditor_reads_a_copy_that_cannot_be_written(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy of # home"
    shutil.copytree(home, copy)
    auditor = Auditor(copy)
    try:
        status = auditor.answer("status")
        assert status["readOnly"] is True
        assert status["inbox"]["jobs"] == 0
        assert status["readModel"]["problem"] is None
        assert auditor.answer("thing", SSCC)["status"] == "active"
        assert len(auditor.answer("trace", SSCC)["events"]) == 1
        assert len(auditor.answer("token", "list")) == 1
        assert "only be read" in auditor.run("capture", "docs/examples/farm.jsonld", code=3).stderr
        assert "only be read" in auditor.run("token", "create", "--role", "scanner", code=3).stderr
        assert "only be read" in auditor.run("rebuild", code=3).stderr
        assert answer(home, "status")["readOnly"] is False
    finally:
        auditor.leave()


def test_a_copy_without_its_last_changes_is_not_taken_for_whole(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    with closing(connect(tmp_path / "live.db")) as live:
        live.execute("CREATE TABLE a (x)")
        for name in ("live.db", "live.db-wal"):
            shutil.copy(tmp_path / name, folder / name)
    program = (
        "import sys; from pathlib import Path; from ledger.readonly import *\n"
        "try: open_reader(Path(sys.argv[1]))\nexcept UnfinishedCopyError: sys.exit(7)"
    )
    auditor = Auditor(folder)
    try:
        drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        done = subprocess.run([*drop, sys.executable, "-c", program, str(folder / "live.db")], check=False)
        assert done.returncode == 7
    finally:
        auditor.leave()
    assert open_reader(folder / "live.db").execute("SELECT name FROM sqlite_master").fetchall() == [("a",)]
    assert UnfinishedCopyError.__doc__
