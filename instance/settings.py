"""What an instance is told: one home directory, one ``config.toml``.

Nothing here is read from the environment and nothing outside the home is written, so two instances never mix.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ledger.private import write_private

MSP_ID = r"^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$"
"""It names folders, so it does not begin with a dot."""
CONFIG_FILE = "config.toml"
DEFAULT_PORT = 8700
Role = Literal["scanner", "analyst", "auditor", "admin"]
InboxPlace = Literal["file", "database"]
ROLES: tuple[Role, ...] = ("scanner", "analyst", "auditor", "admin")


class SettingsError(Exception):
    """The home directory holds no usable instance; ``hint`` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrganisationConfig(_Section):
    """One organisation of the network: its membership service provider and its name for people."""

    msp_id: str = Field(pattern=MSP_ID)
    name: str = Field(min_length=1, max_length=200)


class HttpSettings(_Section):
    """The HTTP process. Sizes in bytes, times in seconds."""

    host: str = "127.0.0.1"
    port: int = Field(DEFAULT_PORT, ge=0, le=65535)
    # Names by which the server may be asked for, beside addresses, names without a dot and this machine's own; "*": any.
    allowed_hosts: tuple[str, ...] = ()
    # At the socket, before anybody is known. 408, 414, 431 and 503 tell a client which limit it met.
    head_limit: int = Field(64 * 1024, ge=1024)
    header_count: int = Field(100, ge=10)
    url_limit: int = Field(32 * 1024, ge=256)
    head_seconds: float = Field(10.0, gt=0)
    body_seconds: float = Field(60.0, gt=0)
    connections: int = Field(1000, ge=1)
    connections_per_address: int = Field(500, ge=1)
    # A token may ask so often, and save up what it does not use for some seconds; beyond, it is answered 429.
    requests_per_second: float = Field(1000.0, gt=0)
    body_limit: int = Field(10 * 1024 * 1024, ge=1024)
    # Of all bodies that are being received or read.
    bodies_limit: int = Field(256 * 1024 * 1024, ge=1024)
    capture_limit: int = Field(20_000, ge=1)
    # Bodies above this are parsed in another process: a megabyte of events holds the interpreter for a
    # tenth of a second, and a scanner must not wait behind it.
    inline_limit: int = Field(32 * 1024, ge=0)
    parse_seconds: float = Field(60.0, gt=0)
    # Queries are answered in so many other processes, one of which is kept for scanners' look-ups; 0: in this one.
    query_processes: int = Field(3, ge=0, le=64)
    query_seconds: float = Field(20.0, gt=0)
    sync_deadline: float = Field(10.0, gt=0)
    # Beyond so many waiting events a capture is answered 503: the disk is not endless, and a reader keeps
    # its own outbox.
    inbox_limit: int = Field(2_000_000, ge=1)
    max_per_page: int = Field(1000, ge=1)


class WorkerSettings(_Section):
    """The worker process: how jobs are batched into transactions and how failures are retried."""

    batch_events: int = Field(1000, ge=1)
    batch_bytes: int = Field(4 * 1024 * 1024, ge=1)
    # In a stream of jobs, wait this long for company: fewer, fuller transactions leave the processor to scanners.
    linger: float = Field(0.05, ge=0)
    poll: float = Field(0.01, gt=0)
    backoff_first: float = Field(0.1, gt=0)
    backoff_last: float = Field(30.0, gt=0)
    nice: int = Field(5, ge=0, le=19)
    keep_jobs_days: int = Field(30, ge=1)


class WatchSettings(_Section):
    """The watcher: blocks, world state and tables are compared again and again, with as many minutes between; 0: never."""

    minutes: float = Field(5.0, ge=0)


class LedgerSettings(_Section):
    """Which ledger, channel and chaincode, and who speaks there through this instance.

    With ``fabric``, HOME/ledger/organisations/MSP holds each organisation's connection.json and identities.
    """

    kind: Literal["embedded", "fabric"] = "embedded"
    channel: str = Field("lotline", min_length=1)
    chaincode: str = Field("lotline", min_length=1)
    # Home of a network of `lotline network`, started with the instance; empty for networks that others run.
    network: str = ""
    organisations: tuple[OrganisationConfig, ...]


class Settings(_Section):
    """Everything the two processes of an instance need to know."""

    home: Path
    ledger: LedgerSettings
    http: HttpSettings = HttpSettings()
    worker: WorkerSettings = WorkerSettings()
    watch: WatchSettings = WatchSettings()
    # Empty: SQLite at HOME/readmodel.db. Otherwise an SQLAlchemy URL, for example of PostgreSQL.
    database_url: str = ""
    # Where what was accepted waits, and who may ask: HOME/inbox.db and HOME/tokens.db, or the PostgreSQL of `database_url`, which
    # any number of processes and hosts share.
    inbox: InboxPlace = "file"

    @model_validator(mode="after")
    def _has_a_database_to_share(self) -> Settings:
        if self.shared and not self.database_url.startswith("postgresql"):
            raise ValueError('inbox = "database" needs the address of a PostgreSQL in `database_url`')
        return self

    @property
    def shared(self) -> bool:
        """Whether other processes and hosts may work on the same inbox."""
        return self.inbox == "database"

    @property
    def left_behind(self) -> str:
        """Why this instance must not start: files hold what was accepted, and who may ask, from before that was in a database."""
        found = [str(file) for file in (self.inbox_file, self.tokens_file) if self.shared and file.exists()]
        return f"{' and '.join(found)} must be brought into the database first: `lotline inbox move`" if found else ""

    @property
    def inbox_place(self) -> Path | str:
        """A file, or the address of the database."""
        return self.database_url if self.shared else self.inbox_file

    @property
    def tokens_place(self) -> Path | str:
        return self.database_url if self.shared else self.tokens_file

    @property
    def ledger_dir(self) -> Path:
        return self.home / "ledger"

    def organisation_dir(self, msp_id: str) -> Path:
        """An organisation's identities and, for Fabric, its connection file."""
        return self.ledger_dir / "organisations" / msp_id

    @property
    def inbox_file(self) -> Path:
        return self.home / "inbox.db"

    @property
    def tokens_file(self) -> Path:
        return self.home / "tokens.db"

    @property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    @property
    def heartbeat_file(self) -> Path:
        return self.run_dir / "worker.json"

    @property
    def admin_token_file(self) -> Path:
        """The first token, readable by the owner of the home only, for the operator's own tools."""
        return self.home / "admin.token"

    @property
    def readmodel_url(self) -> str | Path:
        return self.database_url or self.readmodel_file

    @property
    def readmodel_file(self) -> Path:
        """The read model, unless it is elsewhere (``database_url``)."""
        return self.home / "readmodel.db"

    @property
    def url(self) -> str:
        host = f"[{self.http.host}]" if ":" in self.http.host else self.http.host
        return f"http://{host}:{self.http.port}"

    def msp_id(self, wanted: str | None = None) -> str:
        """``wanted`` if it is an organisation of this instance; the first organisation if None."""
        known = [organisation.msp_id for organisation in self.ledger.organisations]
        if wanted is None:
            return known[0]
        if wanted not in known:
            raise SettingsError(f"no organisation {wanted!r} here; there are: {', '.join(known)}")
        return wanted


def load_settings(home: Path) -> Settings:
    """Settings of the instance at ``home``; raises `SettingsError` when there is none or it can't be read."""
    home = Path(home).expanduser().resolve()
    path = home / CONFIG_FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"no instance at {home}: {CONFIG_FILE} is missing",
            "Create an instance with `lotline init`, or point --home at one.",
        ) from None
    except NotADirectoryError:
        raise SettingsError(
            f"{home} is a file; a home is a folder", "Point --home at the folder of an instance."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    return settings_of(home, **content)


def settings_of(home: Path, **content: Any) -> Settings:
    """What is in a configuration file of ``home``, or is to be; raises `SettingsError` when it is wrong."""
    try:
        return Settings.model_validate({**content, "home": home})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}".lstrip(": ") for e in error.errors())
        raise SettingsError(f"{home / CONFIG_FILE}: {faults}") from error


def write_config(
    home: Path,
    ledger: LedgerSettings,
    *,
    port: int = DEFAULT_PORT,
    database_url: str = "",
    inbox: InboxPlace = "file",
) -> Path:
    """Write the ``config.toml`` of a new instance; every other key has a default."""
    lines = [
        "# An instance of Lotline. Defaults are left out; docs/api.md lists every key.",
        f"database_url = {_toml(database_url)}",
        *([] if inbox == "file" else [f"inbox = {_toml(inbox)}"]),
        "",
        "[http]",
        f"port = {port}",
        "",
        "[ledger]",
        f"kind = {_toml(ledger.kind)}",
        f"channel = {_toml(ledger.channel)}",
        f"chaincode = {_toml(ledger.chaincode)}",
        *([f"network = {_toml(ledger.network)}"] if ledger.network else []),
    ]
    for organisation in ledger.organisations:
        lines += ["", "[[ledger.organisations]]"]
        lines += [f"msp_id = {_toml(organisation.msp_id)}", f"name = {_toml(organisation.name)}"]
    path = home / CONFIG_FILE
    write_private(path, "\n".join(lines) + "\n")  # a database's address holds its password
    return path


def _toml(text: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's, except that TOML wants DEL escaped."""
    return json.dumps(text).replace("\x7f", "\\u007f")
