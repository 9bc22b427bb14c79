"""Copies of a home that is at work, and homes made of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from instance.backup import BackupError, Manifest, back_up, read_manifest, restore
from instance.settings import Settings, SettingsError, load_settings
from lotline.lookup import reading
from relay.jobs import open_inbox
from relay.worker import Worker
from tests.integration.api.conftest import Service, document, event, sgtin
from tests.integration.instance.test_homes import everything, open_to_others
from tests.integration.lotline.run import answer, lotline
from tests.integration.readmodel import postgres

MODES = {"config.toml": 0o600, "admin.token": 0o600, "ledger/organisations/FarmMSP/ca.key": 0o600}


def shown(settings: Settings) -> set[str]:
    """The items that a read model shows."""
    with reading(settings) as connection:
        return set(connection.exec_driver_sql("SELECT uri FROM thing").scalars())


async def worked_off(settings: Settings, done: Callable[[], bool]) -> None:
    """Let a worker go at a home until it is done."""
    worker = Worker(settings)
    await worker.start()
    try:
        async with asyncio.timeout(120):
            while not done():
                await asyncio.sleep(0.02)
    finally:
        await worker.stop()


def idle(settings: Settings) -> bool:
    with closing(open_inbox(settings.inbox_file)) as inbox:
        left = inbox.execute("SELECT count(*) FROM job WHERE state NOT IN ('done', 'failed')").fetchone()[0]
        return bool(left == 0)


async def scan(service: Service, numbers: itertools.count[int], acknowledged: list[int], stop: asyncio.Event) -> None:
    while not stop.is_set():
        number = next(numbers)
        sent = await service.scanner.post("/capture", json=document(event(number)))
        assert sent.status_code == 202
        acknowledged.append(number)


async def test_everything_acknowledged_before_it_began_is_in_it(service: Service, tmp_path: Path) -> None:
    acknowledged: list[int] = []
    stop, numbers = asyncio.Event(), itertools.count(1)
    scanning = [asyncio.create_task(scan(service, numbers, acknowledged, stop)) for _ in range(4)]
    while len(acknowledged) < 40:
        await asyncio.sleep(0.01)
    before = list(acknowledged)
    told = await asyncio.to_thread(answer, service.settings.home, "backup", str(tmp_path / "copy"))
    during = len(acknowledged)
    stop.set()
    await asyncio.gather(*scanning)
    assert during > len(before), "nobody scanned meanwhile: nothing was shown"
    assert told["read_model_block"]["number"] <= told["ledger_block"]["number"]

    home = tmp_path / "restored"
    await asyncio.to_thread(lotline, home, "restore", str(tmp_path / "copy"))
    settings = load_settings(home)
    await worked_off(settings, lambda: idle(settings))
    assert {sgtin(number) for number in before} <= shown(settings)
    settings.heartbeat_file.unlink()
    rebuilt = await asyncio.to_thread(answer, home, "rebuild")
    assert (rebuilt["equal"], rebuilt["reason"]) == (True, None)
    with reading(settings) as connection:
        twice = connection.exec_driver_sql("SELECT hash FROM event GROUP BY hash HAVING count(*) > 1").all()
        assert twice == []


async def test_a_job_that_goes_on_to_the_ledger_meanwhile_is_not_lost(idle_service: Service, tmp_path: Path) -> None:
    """With the ledger copied before the inbox it would be in neither."""
    service, loop = idle_service, asyncio.get_running_loop()
    sent = await service.scanner.post("/capture", json=document(event(1)))
    databases: list[str] = []

    def between(name: str) -> None:
        """After the first database: the job is done, and its content leaves the inbox."""
        if name.endswith(("inbox.db", "readmodel.db", "ledger.db")):
            databases.append(name)
            if len(databases) == 2:
                work = worked_off(service.settings, lambda: idle(service.settings))
                asyncio.run_coroutine_threadsafe(work, loop).result()

    await asyncio.to_thread(back_up, service.settings, tmp_path / "copy", between)
    assert (await service.finished(sent.headers["location"]))["accepted"] == 1
    restored = tmp_path / "restored"
    restore(tmp_path / "copy", restored)
    settings = load_settings(restored)
    await worked_off(settings, lambda: idle(settings))
    settings.heartbeat_file.unlink()
    assert (await asyncio.to_thread(answer, restored, "rebuild"))["equal"] is True
    assert sgtin(1) in shown(settings)


@pytest.fixture
def copy(settings: Settings, tmp_path: Path) -> Path:
    """A backup of a new instance."""
    back_up(settings, tmp_path / "copy")
    return tmp_path / "copy"


def test_it_holds_what_the_home_is_and_nobody_else_may_read_it(copy: Path, settings: Settings, tmp_path: Path) -> None:
    assert open_to_others(copy) == []
    assert not [path for path in copy.rglob("*") if path.name.endswith(("-wal", "-shm", ".lock"))]
    manifest = read_manifest(copy)
    assert manifest.ledger_block is not None
    assert set(manifest.files) | {"manifest.json"} == set(everything(copy))
    home = tmp_path / "volume"
    home.mkdir(mode=0o755)
    told = answer(home, "restore", str(copy))
    assert told["waiting"] == {"jobs": 0, "events": 0}
    assert any("revoked" in note for note in told["notes"])
    assert open_to_others(home) == []
    for name, mode in MODES.items():
        assert stat.S_IMODE((home / name).stat().st_mode) == mode
        assert (home / name).read_bytes() == (settings.home / name).read_bytes()
    assert [one["role"] for one in answer(home, "token", "list")] == ["admin"]


def test_nothing_is_written_over(copy: Path, settings: Settings, tmp_path: Path) -> None:
    before = everything(settings.home)
    assert "there is an instance" in lotline(settings.home, "restore", str(copy), code=3).stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    assert "not empty" in lotline(tmp_path / "full", "restore", str(copy), code=3).stderr
    assert "not empty" in lotline(settings.home, "backup", str(copy), code=3).stderr
    assert "not empty" in lotline(settings.home, "backup", str(tmp_path / "full"), code=3).stderr
    assert "lies in the home" in lotline(settings.home, "backup", str(settings.home / "copy"), code=1).stderr
    assert everything(settings.home) == before
    assert everything(tmp_path / "full") == {"mine": b""}


@pytest.mark.parametrize("name", ["ledger/ledger.db", "readmodel.db", "admin.token"])
@pytest.mark.parametrize("damage", ["a byte", "cut", "gone"])
def test_a_damaged_backup_is_told_and_nothing_is_made_of_it(copy: Path, tmp_path: Path, name: str, damage: str) -> None:
    file = copy / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content if damage == "a byte" else content[:-1])
    with pytest.raises(BackupError, match=name):
        restore(copy, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def changed(copy: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = copy / "manifest.json"
    manifest = json.loads(file.read_bytes())
    change(manifest)
    file.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["files"].update({"../escaped": it["files"]["config.toml"]}),
        lambda it: it["files"].update({"/tmp/escaped": it["files"]["config.toml"]}),
        lambda it: it["files"].update({"a/../../escaped": it["files"]["config.toml"]}),
        lambda it: it["files"].pop("config.toml"),
        lambda it: it.update(format=2),
        lambda it: it.pop("begun"),
        lambda it: it.update(files=[]),
    ],
)
def test_a_manifest_that_lies_is_not_followed(copy: Path, tmp_path: Path, change: Callable[[Any], object]) -> None:
    changed(copy, change)
    with pytest.raises(BackupError):
        restore(copy, tmp_path / "deep" / "restored")
    assert not (tmp_path / "deep" / "restored").exists()
    assert not list(tmp_path.rglob("escaped"))


def test_rights_that_a_manifest_gives_to_others_are_not_given(copy: Path, tmp_path: Path) -> None:
    changed(copy, lambda it: it["files"]["admin.token"].update(mode=0o4777))
    restore(copy, tmp_path / "restored")
    assert open_to_others(tmp_path / "restored") == []


def test_what_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for source in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        assert "is no backup" in lotline(tmp_path / "restored", "restore", str(source), code=1).stderr


def test_a_read_model_elsewhere_is_said_to_be_made_anew(settings: Settings, tmp_path: Path) -> None:
    config = settings.home / "config.toml"
    config.write_text(config.read_text().replace('database_url = ""', 'database_url = "postgresql://nowhere/x"'))
    told = answer(settings.home, "backup", str(tmp_path / "copy"))
    assert told["read_model"] == "elsewhere"
    notes = answer(tmp_path / "restored", "restore", str(tmp_path / "copy"))["notes"]
    assert any("lotline rebuild" in note for note in notes)


def test_a_newer_read_model_in_postgresql_is_made_anew_from_the_restored_ledger(home: Path, tmp_path: Path) -> None:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    with postgres.server(programs) as database:
        config = home / "config.toml"
        url = f'database_url = "{database.url}/postgres"'
        config.write_text(config.read_text().replace('database_url = ""', url))
        first, second = (json.dumps(document(event(number))).encode() for number in (1, 2))
        lotline(home, "capture", "-", stdin=first)
        assert answer(home, "backup", str(tmp_path / "copy"))["read_model"] == "elsewhere"
        lotline(home, "capture", "-", stdin=second)
        restored = tmp_path / "restored"
        lotline(restored, "restore", str(tmp_path / "copy"))
        assert "more blocks than the ledger" in answer(restored, "status")["ledger"]["problem"]
        assert answer(restored, "rebuild")["equal"] is None
        assert sgtin(1) in shown(load_settings(restored))
        assert sgtin(2) not in shown(load_settings(restored))
        assert answer(restored, "capture", "-", stdin=second)["accepted"] == 1
        assert answer(restored, "rebuild")["equal"] is True


def test_parts_of_a_home_that_are_links_are_copied(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk"
    (settings.home / "ledger").rename(elsewhere)
    (settings.home / "ledger").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(settings.home)
    manifest: Manifest = back_up(settings, tmp_path / "copy")
    assert "ledger/ledger.db" in manifest.files
    assert not any("loop" in name for name in manifest.files)


def test_two_backups_into_one_folder(settings: Settings, tmp_path: Path) -> None:
    def again(name: str) -> None:
        with pytest.raises(SettingsError, match="another command"):
            back_up(settings, tmp_path / "copy")

    back_up(settings, tmp_path / "copy", again)
