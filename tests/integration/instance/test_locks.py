"""A process's own second connection must not cost the first one its locks."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from instance.database import connect

_OPEN_AND_CLOSE = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM a').fetchall(); c.close()"
)


def rows(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as fresh:
        return [row[0] for row in fresh.execute("SELECT x FROM a ORDER BY x")]


def test_what_is_written_after_others_came_and_went_is_kept(tmp_path: Path) -> None:
    """Somebody who closes the file last removes its log; he is not the last while a connection of ours is open."""
    file = tmp_path / "x.db"
    writer = connect(file)
    writer.execute("CREATE TABLE a (x INTEGER)")
    reader = connect(file)
    for number in range(3):
        writer.execute("INSERT INTO a VALUES (?)", (number,))
        subprocess.run([sys.executable, "-c", _OPEN_AND_CLOSE, str(file)], check=True)
    assert rows(file) == [0, 1, 2]
    assert [row["x"] for row in reader.execute("SELECT x FROM a ORDER BY x")] == [0, 1, 2]
    writer.close()
    reader.close()
    assert rows(file) == [0, 1, 2]


def test_a_new_file_is_its_owners(tmp_path: Path) -> None:
    connect(tmp_path / "x.db").close()
    assert (tmp_path / "x.db").stat().st_mode & 0o777 == 0o600
