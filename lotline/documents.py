"""Finding and reading the files a command was given."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from epcis import Document, InvalidDocument, Problem, parse_document
from lotline.errors import CommandError, UnavailableError, UsageError
from sources.kinds import kind

STDIN = Path("-")
_SUFFIXES = (".json", ".jsonld")
_MOST_PROBLEMS = 20
_FORM = "What is captured is EPCIS 2.0 in JSON (UTF-8): have it exported or converted to that first."


def find_documents(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and every JSON file below the folders among them, sorted by name."""
    for path in paths:
        if path == STDIN or path.is_file():
            yield path
        elif path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
            if not found:
                raise UsageError(f"there is no {' or '.join(_SUFFIXES)} file in the folder {path}")
            yield from found
        else:
            raise UsageError(f"there is no file {path}", hint="Check the path; `-` reads a document from stdin.")


def read_document(path: Path, most: int | None = None) -> bytes:
    """The bytes of a document, ``most`` of them if that is given; ``-`` is stdin.

    Raises `UsageError` for what can't be EPCIS JSON or is too large, and `UnavailableError` for what can't be read.
    """
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if path == STDIN else path.open("rb") as file:
            data = file.read() if most is None else file.read(most + 1)
    except (FileNotFoundError, IsADirectoryError):
        raise UsageError(f"there is no file {path}", hint="Check the path; `-` reads a document from stdin.") from None
    except OSError as error:
        raise UnavailableError(f"{path} can't be read: {error.strerror}") from error
    if most is not None and len(data) > most:
        raise UsageError(
            f"{path} has more than {most:,} bytes, which is what a document may have here (http.body_limit in config.toml)",
            hint="Capture it in parts.",
        )
    if found := kind(data[:512]):
        raise UsageError(f"{path} is {found}", hint=_FORM)
    return data


def load_document(path: Path) -> Document:
    """The document in a file; `CommandError` naming every fault when it is invalid."""
    try:
        return parse_document(read_document(path))
    except InvalidDocument as error:
        raise CommandError(
            f"{path} is no valid EPCIS document:\n{describe(error.problems)}",
            hint="Correct what is named above.",
        ) from error


def describe(problems: Sequence[Problem]) -> str:
    """One line a problem: the event, the field, what is wrong with it."""
    lines = [f"  {_place(problem)}: {problem.message}" for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"  … and {len(problems) - _MOST_PROBLEMS} more")
    return "\n".join(lines)


def _place(problem: Problem) -> str:
    event = "" if problem.index is None else f"event {problem.index}, "
    return f"{event}{problem.field or 'document'}"
