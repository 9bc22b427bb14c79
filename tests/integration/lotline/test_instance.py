"""An instance made, filled, asked, rebuilt by commands alone; real documents and real processes."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from epcis import parse_document, parse_event, render_document
from epcis.identifiers import check_digit
from lotline.lookup import reading
from tests.integration.lotline.run import answer, lotline

SSCC = "https://id.gs1.org/00/095210000000000018"


def event(day: int, step: str, **members: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent", "eventTime": f"2026-03-{day:02}T08:00:00Z", "eventTimeZoneOffset": "+00:00",
        "bizStep": step, "action": "OBSERVE", "epcList": [SSCC],
        "readPoint": {"id": "https://id.gs1.org/414/9521000000018"}, **members,
    }  # fmt: skip


def document(*events: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
            "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-03-01T00:00:00Z",
            "epcisBody": {"eventList": list(events)},
        }
    ).encode()  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance of two organisations."""
    home = tmp_path_factory.mktemp("instance")
    lotline(home, "init", "-o", "FarmMSP=Green Farm", "-o", "ShopMSP=Corner Shop", "--port", "18710")
    return home


@pytest.fixture(scope="module")
def gs1(home: Path, shared_data: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of GS1's examples and the answer of capturing it."""
    folder = shared_data / "epcis" / "gs1" / "JSON"
    return folder, answer(home, "capture", str(folder))


def stored_events(home: Path) -> Iterator[Any]:
    from instance.creation import load_settings
    from readmodel.queries.records import event_record, select_events

    with reading(load_settings(home)) as connection:
        yield from map(event_record, connection.execute(select_events()))


def test_an_instance_is_private_and_says_what_it_is(home: Path) -> None:
    token = home / "admin.token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    found = answer(home, "status")
    assert found["organisations"] == ["FarmMSP", "ShopMSP"]
    assert found["up"] is False
    assert found["inbox"]["events"] == 0


def test_every_document_of_gs1_is_captured(gs1: tuple[Path, dict[str, Any]]) -> None:
    folder, captured = gs1
    refused = [(one["file"], one["verdicts"], one["problems"]) for one in captured["documents"] if not one["ok"]]
    assert refused == []
    assert captured["captured"] == len(list(folder.rglob("*.jsonld"))) == 47
    assert captured["rejected"] == 0


def test_what_was_captured_is_read_back_schema_valid_and_hash_equal(
    home: Path, gs1: tuple[Path, dict[str, Any]], shared_data: Path
) -> None:
    schema = json.loads((shared_data / "epcis" / "gs1" / "EPCIS-JSON-Schema.json").read_text())
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    # An error declaration has the hash of the event it declares wrong; on the ledger both are kept.
    kept = [parse_event(record.stored) for record in stored_events(home)]
    back = {(event.hash, event.error_declaration is None): event for event in kept}
    assert len(back) == len(kept)
    for path in sorted(gs1[0].rglob("*.jsonld")):
        for original in parse_document(path.read_bytes()).events:
            same = back[original.hash, original.error_declaration is None]
            rendered = render_document([same], datetime.now(UTC))
            assert validator.is_valid(rendered), (path.name, list(validator.iter_errors(rendered))[:3])
            (again,) = parse_document(json.dumps(rendered)).events
            assert again.hash == original.hash


def test_capturing_again_is_capturing_once(home: Path, gs1: tuple[Path, dict[str, Any]]) -> None:
    folder, first = gs1
    again = answer(home, "capture", str(folder))
    assert again["accepted"] == 0
    assert again["duplicate"] == first["accepted"] + first["duplicate"]


def test_a_thing_is_traced_by_every_way_of_writing_it(home: Path) -> None:
    lotline(home, "capture", "-", stdin=document(event(1, "commissioning", action="ADD"), event(2, "packing")))
    ways = (SSCC, "(00)095210000000000018", "095210000000000018", "https://example.com/00/095210000000000018")
    for way in ways:
        found = answer(home, "trace", way)
        assert found["start"] == SSCC
        assert [one["bizStep"] for one in found["events"]] == ["commissioning", "packing"]
        assert all(one["txId"] and one["msp"] == "FarmMSP" for one in found["events"])
    thing = answer(home, "thing", SSCC)
    assert thing["status"] == "active"
    assert thing["place"] == "https://id.gs1.org/414/9521000000018"
    assert "commissioning" in lotline(home, "trace", SSCC).stdout
    assert "active" in lotline(home, "thing", SSCC).stdout


def test_a_thing_that_must_be_agreed_to(home: Path) -> None:
    lotline(home, "capture", "-", stdin=document(event(1, "commissioning", action="ADD")))
    assert answer(home, "thing", SSCC)["endorsers"] == []
    found = answer(home, "protect", "(00)095210000000000018", "FarmMSP")
    assert found == {"id": SSCC, "endorsers": ["FarmMSP"]}
    assert answer(home, "thing", SSCC)["endorsers"] == ["FarmMSP"]
    assert "needs the agreement of FarmMSP" in lotline(home, "thing", SSCC).stdout
    refused = lotline(home, "protect", SSCC, "ShopMSP", "-o", "ShopMSP", code=1)
    assert "only they, or who has a say in it already" in refused.stderr
    assert "never heard of" in lotline(home, "protect", "NO-SUCH", "FarmMSP", code=1).stderr


def test_rollback_leaves_nothing_and_proceed_the_rest(home: Path) -> None:
    fine = event(3, "inspecting")
    bad = event(4, "commissioning", action="ADD")  # it was commissioned before
    both = document(fine, bad)
    undone = answer(home, "capture", "-", stdin=both, code=1)
    (one,) = undone["documents"]
    assert [verdict["verdict"] for verdict in one["verdicts"]] == ["rejected", "rejected"]
    kept = answer(home, "capture", "--on-error", "proceed", "-", stdin=both, code=1)
    (one,) = kept["documents"]
    assert [verdict["verdict"] for verdict in one["verdicts"]] == ["accepted", "rejected"]
    assert one["verdicts"][1]["code"] == "already_commissioned"
    assert "already_commissioned" in lotline(home, "capture", "-", stdin=document(bad), code=1).stdout


def test_bad_documents_are_named_and_good_ones_beside_them_kept(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{")
    (tmp_path / "b.json").write_bytes(document(event(5, "storing")))
    (tmp_path / "c.json").write_bytes(document(event(6, "storing", action="NEVER", epcList=["x y"])))
    (tmp_path / "d.json").write_bytes(document())
    (tmp_path / "e.json").write_bytes(b"<epcis/>")
    (tmp_path / "notes.txt").write_text("not for you")
    found = answer(home, "capture", str(tmp_path), code=1)
    by_name = {Path(one["file"]).name: one for one in found["documents"]}
    assert [by_name[name]["ok"] for name in sorted(by_name)] == [False, True, False, False, False]
    fields = {problem["field"] for problem in by_name["c.json"]["problems"]}
    assert any(field.endswith("/action") for field in fields)
    assert len(fields) > 1, "every fault is told, not only the first"
    people = lotline(home, "capture", str(tmp_path), code=1).stdout
    assert "is XML" in people
    assert "no events" in people


def test_a_document_of_seventy_megabytes_is_refused_and_the_limit_named(home: Path, tmp_path: Path) -> None:
    giant = document(event(5, "storing", **{"example:note": "x" * 70_000_000}))
    (tmp_path / "giant.json").write_bytes(giant)
    for words, stdin in ((str(tmp_path), None), ("-", giant)):
        found = answer(home, "capture", words, code=1, stdin=stdin)
        assert (found["accepted"], found["rejected"]) == (0, 0)
        (one,) = found["documents"]
        assert one["captureID"] is None, "it was queued"
        assert "more than 10,485,760 bytes" in one["why"]
        assert "http.body_limit" in one["why"]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["trace", "https://id.gs1.org/00/095210000000000999"], 2, "check digit"),
        (["trace", "https://id.gs1.org/00/095210000000000995"], 1, "never heard"),
        (["thing", "no-such-lot"], 1, "never heard"),
        (["trace", "http://example.com/x"], 1, "never heard"),  # things may have any URI for a name
        (["trace", "(01)09521000000013"], 2, "no GS1 identifier"),
        (["capture", "nowhere.json"], 2, "no file"),
        (["capture", "-o", "NobodyMSP", "-"], 3, "NobodyMSP"),
        (["token", "revoke", "nonsense"], 1, "no valid token"),
        (["disruptions"], 1, "no forecast"),
        (["init"], 3, "already"),
        (["import", "scms", "nowhere.csv"], 2, "no file"),
    ],
)
def test_what_goes_wrong_is_said_with_the_right_code(home: Path, arguments: list[str], code: int, word: str) -> None:
    assert word in lotline(home, *arguments, code=code, stdin=document(event(7, "storing"))).stderr
    failure = answer(home, *arguments, code=code, stdin=document(event(7, "storing")))["error"]
    assert failure["exitCode"] == code
    assert word in failure["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"], ["down"], ["trace", SSCC], ["thing", SSCC], ["rebuild"], ["token", "list"], ["token", "create"],
        ["disruptions"], ["capture", "x"], ["import", "scms", __file__],
    ],
)  # fmt: skip
def test_without_an_instance_every_command_says_so(tmp_path: Path, arguments: list[str]) -> None:
    if arguments[0] == "import":
        assert "no SCMS Delivery History" in lotline(tmp_path, *arguments, code=2).stderr
        return
    assert "lotline init" in lotline(tmp_path, *arguments, code=3).stderr
    assert list(tmp_path.iterdir()) == []


def test_tokens_are_shown_once_listed_without_secrets_and_revoked(home: Path) -> None:
    made = answer(home, "token", "create", "--role", "auditor", "--organisation", "ShopMSP", "--label", "desk 1")
    listed = answer(home, "token", "list")
    (mine,) = [one for one in listed if one["label"] == "desk 1"]
    assert (mine["role"], mine["organisation"]) == ("auditor", "ShopMSP")
    assert made["token"] not in json.dumps(listed)
    assert answer(home, "token", "revoke", mine["id"])["revoked"] is True
    lotline(home, "token", "revoke", mine["id"], code=1)
    assert "auditor" in lotline(home, "token", "list").stdout


def test_the_read_model_is_rebuilt_to_the_same_bytes(home: Path, gs1: tuple[Path, dict[str, Any]]) -> None:
    found = answer(home, "rebuild")
    assert found["equal"] is True
    assert found["before"] == found["after"]
    assert found["blocks"] > 1
    assert "equal" in lotline(home, "rebuild").stdout


def test_a_read_model_that_was_tampered_with_is_found_out(home: Path, gs1: tuple[Path, dict[str, Any]]) -> None:
    import sqlite3

    with sqlite3.connect(home / "readmodel.db") as database:
        database.execute("UPDATE event SET msp = 'MalloryMSP' WHERE id = (SELECT max(id) FROM event)")
    database.close()
    found = answer(home, "rebuild", code=1)
    assert found["equal"] is False
    assert answer(home, "rebuild")["after"] == found["after"]


def test_two_homes_never_mix(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    lotline(other, "init", "-o", "OtherMSP")
    before = answer(home, "status")["readModel"]
    mine = document(event(9, "storing", epcList=["https://id.gs1.org/00/095210000000000025"]))
    lotline(other, "capture", "-", stdin=mine)
    assert answer(home, "status")["readModel"] == before
    lotline(home, "thing", "https://id.gs1.org/00/095210000000000025", code=1)
    assert answer(other, "thing", "https://id.gs1.org/00/095210000000000025")["msp"] == "OtherMSP"
    lotline(other, "thing", SSCC, code=1)
    monkeypatch.setenv("LOTLINE_HOME", str(other))
    from typer.testing import CliRunner

    from lotline.cli import app

    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert found["home"] == str(other)


FARM, DOCK, PRODUCT = "9521000000001", "9521000000032", "09521000000015"


def _number(digits: str) -> str:
    """The digits with the check digit that they ought to have."""
    return digits[:-1] + check_digit(digits[:-1])


def test_names_from_the_command_line(home: Path) -> None:
    farm, dock, product = _number(FARM), _number(DOCK), _number(PRODUCT)
    added = answer(home, "party", "add", farm, "--name", "Green Farm", "--country", "DE")
    assert added == {
        "id": f"https://id.gs1.org/417/{farm}", "name": "Green Farm", "country": "DE", "msp": "FarmMSP",
    }  # fmt: skip
    placed = answer(home, "place", "add", dock, "--party", f"(417){farm}", "--name", "Dock", "--latitude", "48.1")
    assert (placed["party"], placed["latitude"]) == (added["id"], 48.1)
    assert {"Green Farm", None} >= {one.get("name") for one in answer(home, "party", "list")}
    (there,) = [one for one in answer(home, "place", "list") if one["id"] == placed["id"]]
    assert (there["name"], there["msp"], there["registered"]) == ("Dock", "FarmMSP", True)
    refused = lotline(home, "party", "add", farm, "--name", "Mine", "-o", "ShopMSP", code=1)
    assert "belongs to FarmMSP" in refused.stderr
    assert (
        answer(home, "product", "add", product, "--name", "Apples", "--attribute", "urn:x#net=1 kg")["msp"] == "FarmMSP"
    )
    assert "Apples" in lotline(home, "product", "show", product).stdout
    assert answer(home, "product", "show", product)[0]["attributes"] == {"urn:x#net": "1 kg"}
    assert "nobody has described" in lotline(home, "product", "show", _number("09521000000022"), code=1).stderr
    assert "is not a place" in lotline(home, "place", "add", added["id"], "--party", farm, "--name", "x", code=2).stderr
    wrong = farm[:-1] + str((int(farm[-1]) + 1) % 10)
    assert "check digit" in lotline(home, "party", "add", wrong, "--name", "x", code=2).stderr


def test_administrators_put_right_what_went_wrong(home: Path) -> None:
    """Both organisations administer this instance: `init` made it so."""
    farm, dock = _number(FARM), _number(DOCK)
    assert "belong to ShopMSP" in lotline(home, "party", "reassign", farm, "ShopMSP").stdout
    assert {one["msp"] for one in answer(home, "party", "list") if one["id"].endswith(farm)} == {"ShopMSP"}
    answer(home, "place", "reassign", dock, "FarmMSP")
    (there,) = [one for one in answer(home, "place", "list") if one["id"].endswith(dock)]
    assert (there["msp"], "party" in there) == ("FarmMSP", False)
    assert [one["contested"] for one in answer(home, "party", "prefixes")] == [True]
    assert answer(home, "release", SSCC, "FarmMSP") == {"id": SSCC, "endorsers": []}
    assert answer(home, "configure", "--administrator", "FarmMSP") == {"admins": ["FarmMSP"]}
    denied = lotline(home, "release", SSCC, "FarmMSP", "-o", "ShopMSP", code=1)
    assert "not among the channel's administrators (FarmMSP)" in denied.stderr
    assert "nothing to change" in lotline(home, "configure", code=2).stderr
