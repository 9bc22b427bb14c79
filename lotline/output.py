"""Where words go: answers to stdout, everything else to stderr; ``--json`` makes answers machine-readable."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

DEFAULT_HOME = ".lotline"
# A pipe has no width; wide enough that no identifier is broken in two.
_PIPE_WIDTH = 400


@dataclass
class Session:
    """The options every command has, and how it speaks."""

    home: Path
    json: bool = False
    debug: bool = False

    @cached_property
    def out(self) -> Console:
        """For people who read an answer."""
        from rich.console import Console

        return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)

    @cached_property
    def err(self) -> Console:
        """For notes, progress and errors."""
        from rich.console import Console

        return Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A note for a person; never part of the answer."""
        self.err.print(text, markup=False)

    def answer(self, value: Any) -> None:
        """The answer as one JSON document on stdout; nothing without ``--json``."""
        if self.json:
            print_json(value)

    def text(self, line: str = "") -> None:
        """A line of the answer for people; nothing with ``--json``."""
        if not self.json:
            self.out.print(line, markup=False)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table of the answer for people; columns whose name starts with ``#`` hold numbers."""
        if self.json:
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column in columns:
            number = column.startswith("#")
            table.add_column(column.removeprefix("#"), justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
        self.out.print(table)

    def progress(self) -> Progress:
        """Bars on stderr; silent unless stderr is a terminal."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.err,
            disable=not sys.stderr.isatty(),
        )


def print_json(value: Any) -> None:
    """One JSON document and a line end on stdout."""
    import orjson

    document = orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    sys.stdout.write(document.decode() + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    """What orjson does not know: pydantic models, decimals, paths and sets."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def session(context: typer.Context) -> Session:
    """The session of a running command."""
    found = context.find_root().obj
    assert isinstance(found, Session)
    return found
