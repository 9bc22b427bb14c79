"""An instance whose inbox is in PostgreSQL, by the commands: moved there, backed up while it is at work, restored elsewhere."""

from __future__ import annotations

from pathlib import Path

import httpx

from instance.settings import load_settings
from tests.integration.api.conftest import document, event
from tests.integration.api.processes import Process, answers, free_port, until
from tests.integration.databases import new_database
from tests.integration.lotline.run import answer, lotline


def set_up(home: Path, url: str) -> None:
    config = home / "config.toml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith(("database_url", "inbox"))]
    config.write_text("\n".join([f'database_url = "{url}"', 'inbox = "database"', *lines]) + "\n")


def test_moved_backed_up_under_load_and_restored(tmp_path: Path, postgres_url: str) -> None:
    home, restored, folder = (tmp_path / name for name in ("home", "restored", "backup"))
    lotline(home, "init", "-o", "FarmMSP=Farm")
    assert "this instance keeps its inbox in a file" in lotline(home, "inbox", "move", code=2).stderr
    token = (home / "admin.token").read_text().strip()
    set_up(home, new_database(postgres_url))
    worker = Process("relay.worker", home)
    until(lambda: not worker.alive)
    assert "`lotline inbox move`" in worker.log.read_text()
    assert answer(home, "inbox", "move") == {"jobs": 0, "tokens": 1}
    worker, port = Process("relay.worker", home), free_port()
    api = Process("api.server", home, "--port", str(port))
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}"))
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"})
        accepted = []
        for number in range(60):
            sent = client.post("/capture", json=document(event(number)))
            assert sent.status_code == 202, sent.text
            accepted.append(sent.json()["captureID"])
            if number == 40:
                assert answer(home, "backup", str(folder))["read_model"] == "elsewhere"
                kept = list(accepted)
        worker.kill()
        assert client.post("/capture", json=document(event(1000))).status_code == 202
        assert answer(home, "inbox", "list", "--waiting")["waiting"] >= 1
    finally:
        worker.stop()
        api.stop()

    notes = answer(restored, "restore", str(folder))["notes"]
    assert any("`lotline inbox move`" in note for note in notes)
    set_up(restored, new_database(postgres_url))
    assert answer(restored, "inbox", "move")["tokens"] == 1
    assert answer(restored, "inbox", "move") == {"jobs": 0, "tokens": 0}
    (restored / "logs").mkdir(exist_ok=True)
    worker = Process("relay.worker", restored)
    try:
        until(lambda: answer(restored, "status")["inbox"]["jobs"] == 0)
        until(lambda: answer(restored, "inbox", "list")["failed"] == 0)
    finally:
        worker.stop()
    found = answer(restored, "rebuild")
    assert found["equal"] is True
    for number in range(len(kept)):
        thing = f"https://id.gs1.org/01/09506000134352/21/{number}"
        assert answer(restored, "thing", thing)
    assert load_settings(restored).shared


def test_made_in_the_database_at_once(tmp_path: Path, postgres_url: str) -> None:
    home, url = tmp_path / "home", new_database(postgres_url)
    assert "needs the address of a PostgreSQL" in lotline(home, "init", "--inbox", "database", code=3).stderr
    assert not (home / "config.toml").exists()
    lotline(home, "init", "--database-url", url, "--inbox", "database")
    assert [token["role"] for token in answer(home, "token", "list")] == ["admin"]
    assert not (home / "tokens.db").exists()
    assert answer(home, "status")["inbox"] == {**answer(home, "status")["inbox"], "jobs": 0, "problem": None}
