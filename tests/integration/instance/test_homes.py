"""Where a home may be made, what its path may be called, and who may read it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from instance.folders import vacant
from instance.settings import LedgerSettings, OrganisationConfig, SettingsError
from ledger import ca
from ledger.private import close_to_others
from lotline.creation import create
from lotline.errors import UsageError
from lotline.joining import join_by_files
from tests.integration.lotline.run import answer, lotline
from tests.integration.lotline.test_instance import SSCC, document, event

FARM = [OrganisationConfig(msp_id="FarmMSP", name="Farm")]


def open_to_others(folder: Path) -> list[str]:
    """What somebody else may read, write or enter."""
    everything = [folder, *folder.rglob("*")]
    return [str(path.relative_to(folder)) for path in everything if path.lstat().st_mode & 0o077]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(home: Path, *arguments: str, stdin: bytes = b"") -> None:
    """Run the real command, with a umask that lets everybody read."""
    subprocess.run(
        [sys.executable, "-m", "lotline.cli", "--home", str(home), *arguments],
        input=stdin, check=True, capture_output=True, umask=0o022,
    )  # fmt: skip


def test_nobody_else_may_read_a_home_even_in_a_folder_that_was_open(tmp_path: Path) -> None:
    home = tmp_path / "volume"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    command(home, "init", "-o", "FarmMSP", "-o", "ShopMSP")
    command(home, "capture", "-", stdin=document(event(1, "commissioning", action="ADD")))
    assert (home / "inbox.db").exists()
    assert open_to_others(home) == []


def test_a_home_that_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "key.pem").write_text("secret")
    (tmp_path / "keys" / "run.sh").write_text("")
    outside = tmp_path.parent / "outside"
    outside.write_text("")
    outside.chmod(0o644)
    (tmp_path / "keys" / "link").symlink_to(outside)
    (tmp_path / "keys" / "run.sh").chmod(0o755)
    tmp_path.chmod(0o755)
    close_to_others(tmp_path)
    assert stat.S_IMODE((tmp_path / "keys" / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys" / "run.sh").stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


@pytest.mark.parametrize("name", ["with blanks", "a?mode=memory&b#c;100%41 ä"])
def test_a_home_may_be_called_anything(tmp_path: Path, name: str) -> None:
    home = tmp_path / name / "home"
    lotline(home, "init", "-o", "FarmMSP")
    captured = answer(home, "capture", "-", stdin=document(event(1, "commissioning", action="ADD")))
    assert captured["accepted"] == 1
    assert answer(home, "thing", SSCC)["status"] == "active"
    assert answer(home, "rebuild")["equal"] is True
    assert [path.name for path in tmp_path.iterdir()] == [name]
    for file in ("inbox.db", "tokens.db", "readmodel.db", "ledger/ledger.db"):
        assert (home / file).is_file(), file


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("import os\n")
    tmp_path.chmod(0o755)
    failed = lotline(tmp_path, "init", "-o", "FarmMSP", code=3)
    assert "not empty" in failed.stderr
    assert "module.py" in failed.stderr
    assert everything(tmp_path) == {"module.py": b"import os\n"}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    for words in (["simulate", "--events", "1000", "--days", "60"], ["demo", "--no-start"]):
        assert "not empty" in lotline(tmp_path, *words, code=3).stderr
    assert everything(tmp_path) == {"module.py": b"import os\n"}


def test_a_package_called_network_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "__init__.py").write_text("")
    assert "holds network" in lotline(tmp_path, "init", code=3).stderr


def test_init_twice_says_so_and_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    lotline(home, "init", "-o", "FarmMSP")
    before = everything(home)
    failed = lotline(home, "init", "-o", "ShopMSP", code=3)
    assert "there is an instance" in failed.stderr
    assert "lotline status" in failed.stderr
    assert "lotline init" not in failed.stderr
    assert everything(home) == before


def test_two_at_once_are_told_apart(tmp_path: Path) -> None:
    with vacant(tmp_path / "home", ""), pytest.raises(SettingsError, match="another command"):
        create(tmp_path / "home", FARM)
    assert not (tmp_path / "home").exists()


def test_what_was_killed_half_way_is_made_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".unfinished" / "ledger").mkdir(parents=True)
    (home / ".unfinished" / "ledger" / "ledger.db").write_text("half")
    lotline(home, "init", "-o", "FarmMSP")
    assert not (home / ".unfinished").exists()


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(place: Path) -> LedgerSettings:
        (place / "key.pem").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create(tmp_path / "home", FARM, join=fail)
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    for words in (["status"], ["init"]):
        failed = lotline(home, *words, code=3)
        assert "folder" in failed.stderr
        assert "lotline init" not in failed.stderr


@pytest.mark.parametrize("msp_id", ["..", ".", ".hidden", "-x", "a/b", "", "a" * 65, "a\n"])
def test_a_name_that_would_leave_its_folder_is_refused(tmp_path: Path, msp_id: str) -> None:
    assert "is no organisation" in lotline(tmp_path / "home", "init", "-o", f"{msp_id}=x", code=2).stderr
    assert not (tmp_path / "home").exists()


def test_the_port_is_chosen_wherever_an_instance_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    lotline(home, "simulate", "--events", "1000", "--days", "60", "--port", "9123")
    assert "port = 9123" in (home / "config.toml").read_text()
    for command in (["simulate", "--events", "1000", "--days", "60"], ["up"], ["demo"]):
        failed = lotline(home, *command, "--port", "9124", code=2)
        assert "has port 9123" in failed.stderr


class Joining:
    """The files of docs/fabric.md's example, in a folder of their own."""

    def __init__(self, folder: Path, msp_id: str = "SupplierMSP", tls: str = '"tlsCaFile": "tls-ca.pem"') -> None:
        self.connection = folder / "connection.json"
        self.msp = folder / "msp"
        authority = folder / "authority"
        ca.create_organisation(authority, "SupplierMSP")
        for role in ("admin", "auditor", "analyst", "scanner"):
            ca.issue(authority, role, role)
            made = authority / "identities" / role
            for part, file in (("signcerts", "cert.pem"), ("keystore", "key.pem")):
                (self.msp / role / part).mkdir(parents=True)
                (made / file).rename(self.msp / role / part / file)
        (folder / "tls-ca.pem").write_bytes((authority / "ca.pem").read_bytes())
        comma = ", " if tls else ""
        self.connection.write_text(
            f'{{"mspId": "{msp_id}", "channel": "lotline", "chaincode": "lotline",'
            f' "peers": [{{"address": "peer0.example.org:7051"{comma}{tls}}}]}}'
        )


def test_the_documented_way_to_join_takes_the_named_certificate_along(tmp_path: Path) -> None:
    from ledger.network.connection import read_connection

    given = Joining(tmp_path)
    place = tmp_path / "elsewhere"
    said: list[str] = []
    joined = join_by_files(place, [given.connection], [given.msp], said.append)
    member = place / "ledger" / "organisations" / "SupplierMSP"
    (tmp_path / "tls-ca.pem").rename(tmp_path / "gone.pem")
    (peer,) = read_connection(member / "connection.json").peers
    assert peer.tls is not None
    assert said == []
    assert joined.channel == "lotline"
    assert ca.load_identity(member, "scanner").msp_id == "SupplierMSP"


def test_a_peer_without_tls_is_told(tmp_path: Path) -> None:
    given = Joining(tmp_path, tls="")
    said: list[str] = []
    join_by_files(tmp_path / "home", [given.connection], [given.msp], said.append)
    assert "without TLS" in said[0]


@pytest.mark.parametrize(
    ("msp_id", "tls"),
    [("..", ""), ("a/../b", ""), ("SupplierMSP", '"tlsCaFile": "none.pem"'), ("SupplierMSP", '"tlsCaFile": "connection.json"')],
)  # fmt: skip
def test_a_connection_file_that_cannot_be_used_writes_nowhere(tmp_path: Path, msp_id: str, tls: str) -> None:
    given = Joining(tmp_path, msp_id, tls)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(UsageError):
        join_by_files(tmp_path / "home" / "a", [given.connection], [given.msp])
    assert set(os.listdir(tmp_path)) - set(before) <= {"home"}
    assert not (tmp_path / "home" / "ledger").exists()
