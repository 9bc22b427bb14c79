"""The command line: which commands there are, the options all of them share, and how failures are told.

A command's module is imported when the command runs, so that ``lotline --help`` starts at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lotline.errors import INTERRUPTED
from lotline.output import DEFAULT_HOME, Session

# name -> module under lotline.commands, one line of help
COMMANDS = {
    "demo": ("demo", "Show the whole system: two simulated years, forecasts, API and dashboard."),
    "init": ("init", "Create an instance: organisations, ledger, read model, first token."),
    "up": ("up", "Run worker, API and dashboard until interrupted."),
    "down": ("down", "Stop what `up` runs."),
    "status": ("status", "Say what runs and what the ledger holds."),
    "capture": ("capture", "Put EPCIS documents on the ledger."),
    "inbox": ("inbox", "What failed or waits for the ledger: list, retry, export."),
    "import": ("import_", "Bring in data kept in other forms (`import table FILE --map MAP`, `import scms FILE`)."),
    "simulate": ("simulate", "Make a supply network's events and capture them."),
    "trace": ("trace", "Where did it come from, where did it go?"),
    "thing": ("thing", "Where is it now, who holds it, how much?"),
    "verify": ("verify", "Does a proof show what it says? Needs no instance."),
    "code": ("code", "What does a scanned code say?"),
    "party": ("party", "Who takes part: register, list and reassign parties."),
    "place": ("place", "Where goods are: register, list and reassign places."),
    "device": ("device", "Scanners that sign: enrol by a QR code, list, revoke, explain."),
    "product": ("product", "What products are called."),
    "protect": ("protect", "Demand that organisations agree to every change of a thing."),
    "release": ("release", "Strike an organisation that has left out of those that must agree."),
    "configure": ("configure", "The channel's rules, and which organisations administer it."),
    "forecast": ("forecast", "Forecast demand and transit times from the ledger's history."),
    "disruptions": ("disruptions", "What will run late or run out, and why."),
    "rebuild": ("rebuild", "Throw the read model away and rebuild it from the ledger."),
    "audit": ("audit", "Look whether blocks, world state or tables were changed behind the ledger's back."),
    "backup": ("backup", "Copy the instance, while it is at work, into a folder."),
    "restore": ("restore", "Make an instance of such a copy."),
    "signin": ("signin", "Print a link that opens the dashboard once."),
    "token": ("token", "Create, list and revoke API tokens."),
    "network": ("network", "Run a Fabric network of several organisations on this machine."),
    "chaincode": ("chaincode", "The contract as a package for networks that others run."),
    "event-hash": ("event_hash", "Print the CBV event hash of every event in a document."),
}
_FLAGS = ("--json", "--debug")
_EPILOG = "`--home DIR`, `--json` and `--debug` may stand before or after the command. Exit codes: docs/cli.md."


class LazyGroup(TyperGroup):
    """Knows its commands by name; imports one only to run it or to show its own help."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """A stand-in with the command's name and help: all that lists of commands need."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> tuple[str | None, Any, list[str]]:  # type: ignore[override]
        name, command, rest = super().resolve_command(ctx, args)
        return (name, load_command(name), rest) if name in COMMANDS else (name, command, rest)

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        return super().parse_args(ctx, hoist(args))

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        from lotline.failures import tell

        try:
            return super().invoke(ctx)
        except Exception as error:
            raise typer.Exit(tell(error, ctx.obj)) from error
        except KeyboardInterrupt:
            typer.echo("interrupted: nothing is lost, the same command goes on where it stopped", err=True)
            raise typer.Exit(INTERRUPTED) from None


def load_command(name: str) -> Any:
    """The real command behind a name."""
    module = importlib.import_module(f"lotline.commands.{COMMANDS[name][0]}")
    command = typer.main.get_command(module.app)
    command.name = name
    return command


def hoist(args: list[str]) -> list[str]:
    """Move the options every command shares to the front, so that they may stand anywhere before ``--``."""
    end = args.index("--") if "--" in args else len(args)
    shared: list[str] = []
    own: list[str] = []
    words = iter(args[:end])
    for word in words:
        if word in _FLAGS or word.startswith("--home="):
            shared.append(word)
        elif word == "--home":
            shared += [word, *([value] if (value := next(words, None)) is not None else [])]
        else:
            own.append(word)
    return shared + own + args[end:]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lotline {version('lotline')}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[
        Path,
        typer.Option(help="Directory of the instance; everything it owns lies there.", envvar="LOTLINE_HOME"),
    ] = Path(DEFAULT_HOME),
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON on stdout.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Record every handoff of goods on a shared ledger, trace any lot, and see what will run late."""
    context.obj = Session(home.expanduser().absolute(), json=json, debug=debug)


def main() -> None:
    """Entry point of the ``lotline`` script."""
    os.umask(0o077)  # keys, tokens and what others said: for the owner's eyes, in this process and all it starts
    # A reader that goes away early (`lotline trace … | head`) is no failure of ours.
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
