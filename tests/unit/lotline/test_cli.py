"""Options that may stand anywhere, help without heavy imports, and failures told in words."""

from __future__ import annotations

import importlib
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import epcis
import instance.settings
import ledger.errors
from lotline.cli import COMMANDS, app, hoist, load_command
from lotline.documents import describe
from lotline.errors import BUG, NEGATIVE, UNAVAILABLE, USAGE, CommandError, UnavailableError, UsageError
from lotline.failures import explain
from lotline.output import Session
from lotline.plain import camel, plain


@dataclass(frozen=True)
class Moment:
    """A record with names to be rewritten."""

    event_time: datetime
    by_key: dict[str, int]


WORDS = st.lists(st.text("abc/:-", min_size=1, max_size=5).filter(lambda word: not word.startswith("--")))


@pytest.mark.parametrize(
    ("given", "hoisted"),
    [
        (["trace", "x", "--json"], ["--json", "trace", "x"]),
        (["trace", "--home", "h", "x"], ["--home", "h", "trace", "x"]),
        (["token", "list", "--home=h", "--debug"], ["--home=h", "--debug", "token", "list"]),
        (["capture", "--", "--json"], ["capture", "--", "--json"]),
        (["trace", "--home"], ["--home", "trace"]),
    ],
)
def test_shared_options_come_first(given: list[str], hoisted: list[str]) -> None:
    assert hoist(given) == hoisted


@given(WORDS, WORDS)
def test_what_is_not_shared_keeps_its_order(before: list[str], after: list[str]) -> None:
    assert hoist([*before, "--json", *after]) == ["--json", *before, *after]


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert name in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_has_help(name: str) -> None:
    assert load_command(name).name == name
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert importlib.import_module(f"lotline.commands.{COMMANDS[name][0]}").__doc__


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError("no"), NEGATIVE),
        (UsageError("wrong"), USAGE),
        (UnavailableError("away"), UNAVAILABLE),
        (instance.settings.SettingsError("no instance"), UNAVAILABLE),
        (epcis.identifiers.InvalidIdentifier("no GTIN"), USAGE),
        (ledger.errors.Unavailable("locked"), UNAVAILABLE),
        (ledger.errors.RejectedByContract(403, "not yours"), NEGATIVE),
        (OSError(28, "No space left on device", "/x"), UNAVAILABLE),
        (sqlite3.OperationalError("disk I/O error"), UNAVAILABLE),
        (ZeroDivisionError("division by zero"), BUG),
    ],
)
def test_a_failure_has_words_and_a_code(error: Exception, code: int) -> None:
    telling = explain(error)
    assert telling.code == code
    assert telling.message
    assert "Traceback" not in telling.message


def test_problems_name_event_and_field_and_stop_somewhere() -> None:
    problems = [epcis.Problem(index, f"/epcisBody/{index}", "type", "must be a text") for index in range(30)]
    words = describe(problems)
    assert "event 3, /epcisBody/3: must be a text" in words
    assert "10 more" in words


def test_json_names_are_camel_case_all_the_way_down() -> None:
    assert camel("biz_step") == "bizStep"
    assert plain({"a": [Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), {"Kept as is": 1})]}) == {
        "a": [{"eventTime": "2026-05-04T12:00:00.000Z", "byKey": {"Kept as is": 1}}]
    }


def test_markup_in_data_is_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    here = Session(Path("nowhere"))
    here.table("", ["name"], [["[red]not a colour[/red]"]])
    here.text("[bold]neither[/bold]")
    out = capsys.readouterr().out
    assert "[red]not a colour[/red]" in out
    assert "[bold]neither[/bold]" in out


def test_with_json_only_the_answer_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    here = Session(Path("nowhere"), json=True)
    here.say("a note")
    here.text("for people")
    here.table("", ["x"], [["y"]])
    here.answer({"a": 1})
    captured = capsys.readouterr()
    assert captured.out == '{\n  "a": 1\n}\n'
    assert "a note" in captured.err


def test_an_option_that_does_not_exist_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["event-hash", "--nonsense"]).exit_code == USAGE
    assert CliRunner().invoke(app, ["no-such-command"]).exit_code == USAGE
    assert isinstance(typer.main.get_command(app), typer.core.TyperGroup)
