"""The scanner's page in a real browser, on a phone's screen: enrolled, away from the network, killed, back; each event once, signed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import segno
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

from api import decoder
from epcis import parse_document
from epcis.identifiers import UnreadableCode, check_digit, read_code
from tests.browser.test_dashboard import CHROMIUM, PATIENCE, keep, lotline
from tests.integration.api.processes import free_port, until
from tests.unit.epcis import test_codes

pytestmark = pytest.mark.browser
FARM, SHOP = "0614141000005", "9506000000008"
DOCK, SHELF = "0614141000012", "9506000000015"
PGLN, GLN = "https://id.gs1.org/417/", "https://id.gs1.org/414/"
GTIN = "09506000134352"
NOTE = "urn:epcglobal:cbv:bt:0614141000005:DN-17"


def item(number: int) -> str:
    return f"https://id.gs1.org/01/{GTIN}/21/{number}"


def raw(number: int) -> str:
    """As a wedge types it."""
    return f"]d201{GTIN}21{number}"


@dataclass
class Up:
    """A running instance of two organisations: a farm has shipped ten cases to a shop."""

    home: Path
    url: str
    admin: httpx.Client
    farm: httpx.Client


def capture(client: httpx.Client, *events: dict[str, Any]) -> None:
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-05-04T10:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }
    location = client.post("/capture", json=document).headers["Location"]
    until(lambda: not client.get(location).json()["running"])
    assert client.get(location).json()["rejected"] == 0, client.get(location).text


def said(step: str, action: str, place: str, hour: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": f"2026-05-04T{hour:02}:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "action": action,
        "bizStep": step,
        "readPoint": {"id": GLN + place},
        **more,
    }


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    home, port = tmp_path_factory.mktemp("scan") / "home", free_port()
    lotline(home, "init", "-o", "ShopMSP=Shop", "-o", "FarmMSP=Farm", "--port", str(port))
    lotline(home, "up", "--detach", "--no-ui")
    url = f"http://localhost:{port}"
    tokens = {
        name: lotline(
            home, "token", "create", "--role", "admin", "--organisation", f"{name}MSP", "--identity", "admin"
        ).strip()
        for name in ("Shop", "Farm")
    }
    clients = {
        name: httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        for name, token in tokens.items()
    }
    shop, farm = clients["Shop"], clients["Farm"]
    for client, party, place, name in ((shop, SHOP, SHELF, "Shop"), (farm, FARM, DOCK, "Green Farm")):
        assert client.post("/parties", json={"id": PGLN + party, "name": name}).status_code == 201
        assert client.post("/places", json={"id": GLN + place, "party": PGLN + party, "name": name}).status_code == 201
    between = {
        "sourceList": [{"type": "possessing_party", "source": PGLN + FARM}],
        "destinationList": [{"type": "possessing_party", "destination": PGLN + SHOP}],
        "bizTransactionList": [{"type": "desadv", "bizTransaction": NOTE}],
    }
    cases = [item(number) for number in range(1, 11)]
    capture(
        farm,
        said("commissioning", "ADD", DOCK, 8, epcList=cases),
        said("shipping", "OBSERVE", DOCK, 9, epcList=cases, **between),
    )
    try:
        yield Up(home, url, shop, farm)
    finally:
        for client in clients.values():
            client.close()
        lotline(home, "down")


@pytest.fixture
def driver() -> Iterator[Playwright]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: `make browser` installs one where it may")
    with sync_playwright() as playwright:
        yield playwright


def opened(driver: Playwright, profile: Path, *more: str) -> BrowserContext:
    """A phone's browser on a profile that lasts."""
    context = driver.chromium.launch_persistent_context(
        profile,
        executable_path=CHROMIUM,
        viewport={"width": 390, "height": 844},
        locale="en-GB",
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", *more],
    )
    context.set_default_timeout(PATIENCE)
    return context


def code_of(up: Up, name: str = "Handheld 3") -> str:
    told = json.loads(lotline(up.home, "--json", "device", "enrol", SHOP, SHELF, "--name", name))
    assert told["url"].endswith(f"/scan#enrol={told['code']}")
    return str(told["code"])


def enrolled(up: Up, context: BrowserContext, name: str = "Handheld 3") -> Page:
    page = context.new_page()
    page.goto(f"{up.url}/scan#enrol={code_of(up, name)}")
    expect(page.get_by_role("button", name="Receive")).to_be_visible()
    page.wait_for_function(
        "navigator.serviceWorker.controller !== null || navigator.serviceWorker.ready.then(() => true)"
    )
    until(lambda: page.evaluate("caches.keys().then((names) => names.length)") > 0)
    return page


def type_in(page: Page, *texts: str) -> None:
    """As a wedge does: keys, and Enter."""
    for text in texts:
        page.keyboard.type(text)
        page.keyboard.press("Enter")


def confirm(page: Page) -> None:
    page.locator("#review").click()
    page.locator("#send").click()
    expect(page.get_by_role("button", name="Receive")).to_be_visible()


def kill(context: BrowserContext, profile: Path) -> None:
    """The browser has no last words. Only the processes of this profile are ended."""
    lock = os.readlink(profile / "SingletonLock")
    os.kill(int(lock.rpartition("-")[2]), signal.SIGKILL)
    with contextlib.suppress(Exception):
        context.close()
    (profile / "SingletonLock").unlink(missing_ok=True)


def device_of(up: Up, name: str) -> dict[str, Any]:
    (found,) = [one for one in up.admin.get("/devices").json()["items"] if one["name"] == name]
    return dict(found)


def test_a_day_without_network(driver: Playwright, up: Up, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    context = opened(driver, profile)
    page = enrolled(up, context)
    keep(page, "scan-home", tmp_path)
    page.locator("#receive").click()
    expect(page.locator("#delivery option")).to_have_count(2)
    page.locator("#delivery").select_option(index=1)
    context.set_offline(True)
    page.locator("#scan").focus()
    type_in(page, *(raw(number) for number in range(1, 10)))  # the tenth did not come
    type_in(page, raw(9), f"01{GTIN}10K717271231", "(01)09506000134353(21)1")
    expect(page.locator("#count")).to_have_text("9 / 10")
    expect(page.locator("#message")).to_have_class("refused")
    keep(page, "scan-refused", tmp_path)
    page.locator("#review").click()
    expect(page.locator("#warnings")).to_contain_text("1 announced, not scanned")
    keep(page, "scan-review", tmp_path)
    page.locator("#send").click()
    for number in range(20):
        page.locator("#commission").click()
        page.locator("#scan").focus()
        type_in(page, *(raw(444_400 + number * 10 + n) for n in range(10)))
        expect(page.locator("#count")).to_have_text("10")
        confirm(page)
    expect(page.locator("#unsent")).to_have_text("21")
    kill(context, profile)

    # a proxy that is not there: not even the service worker, which starts with the browser, gets through
    context = opened(driver, profile, "--proxy-server=127.0.0.1:1", "--proxy-bypass-list=<-loopback>")
    page = context.new_page()
    page.goto(f"{up.url}/scan")  # from the device itself
    expect(page.locator("#unsent")).to_have_text("21")
    expect(page.locator("#link")).to_contain_text("Offline")
    page.locator("#unsent").click()
    keep(page, "scan-outbox-offline", tmp_path)
    kill(context, profile)

    context = opened(driver, profile)
    page = context.new_page()
    page.goto(f"{up.url}/scan")
    expect(page.locator("#unsent")).to_have_text("0", timeout=PATIENCE)
    page.locator("#unsent").click()
    keep(page, "scan-outbox", tmp_path)
    expect(page.locator("li[data-state=accepted]")).to_have_count(21, timeout=PATIENCE)
    context.close()

    device = device_of(up, "Handheld 3")
    assert (device["counter"], device["missing"], device["status"]) == (21, 0, "active")
    events = up.admin.get(
        "/events", params={"GE_recordTime": "2020-01-01T00:00:00Z", "perPage": "200", "EQ_bizStep": "commissioning"}
    ).json()
    listed = events["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    made = [epc for one in listed if one["readPoint"]["id"] == GLN + SHELF for epc in one["epcList"]]
    assert len(made) == len(set(made)) == 200
    open_ones = {
        one["item"]: one["status"]
        for one in up.admin.get("/handoffs", params={"reference": NOTE, "perPage": "50"}).json()["items"]
    }
    assert [name for name, status in open_ones.items() if status != "complete"] == [item(10)]
    assert not [
        one
        for one in up.admin.get("/exceptions", params={"status": "open"}).json()["items"]
        if one["kind"].startswith("device")
    ]


def test_two_tabs_are_one_device(driver: Playwright, up: Up, tmp_path: Path) -> None:
    context = opened(driver, tmp_path / "profile")
    first = enrolled(up, context, "Two tabs")
    second = context.new_page()
    second.goto(f"{up.url}/scan")
    for number, page in enumerate((first, second, first, second), start=50_000):
        page.locator("#count").click()
        page.locator("#scan").focus()
        type_in(page, raw(number))
        confirm(page)
    until(lambda: (device_of(up, "Two tabs")["counter"], device_of(up, "Two tabs")["missing"]) == (4, 0))
    context.close()


def test_keyboard_alone_and_the_other_language(driver: Playwright, up: Up, tmp_path: Path) -> None:
    context = opened(driver, tmp_path / "profile")
    page = enrolled(up, context, "Keys")
    page.get_by_role("button", name="Deutsch").press("Enter")
    expect(page.get_by_role("button", name="Wareneingang")).to_be_visible()
    keep(page, "scan-german", tmp_path)
    page.get_by_role("button", name="Packen", exact=True).press("Enter")
    pallet = "10614141234567890"
    pallet += check_digit(pallet)
    type_in(page, f"(00){pallet}", raw(60_001), f"]d201{GTIN}10K7")
    expect(page.locator("#count")).to_have_text("2")
    page.keyboard.press("Tab")
    page.get_by_label("Menge").fill("12,5")
    keep(page, "scan-pack", tmp_path)
    page.locator("#review").press("Enter")
    expect(page.locator("#send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Wareneingang")).to_be_visible()
    until(lambda: device_of(up, "Keys")["counter"] == 1)
    packed = up.admin.get(f"/things/{quote('https://id.gs1.org/00/' + pallet, safe='')}").json()
    assert {one["id"]: one["quantity"] for one in packed["contents"]} == {
        item(60_001): None,
        f"https://id.gs1.org/01/{GTIN}/10/K7": "12.5",
    }
    context.close()


def _verdict(text: str, kept: bool) -> dict[str, Any]:
    try:
        code = read_code(text, has_separators=kept)
    except UnreadableCode:
        return {"refused": True}
    if code.identifier is None:
        return {"id": None}
    return {"id": code.uri, "whole": code.identifier.whole, "isClass": code.identifier.is_class}


def _texts() -> list[str]:
    """Every form that the tests of the reader in Python have, and labels by chance."""
    found = [
        f"{before}{test_codes.RAW}{sign}17271231\r\n" for sign in test_codes.SEPARATORS for before in ("", "]d2", "]C1")
    ]
    tests: list[Any] = [test_codes.test_forms, test_codes.test_refusals, test_codes.test_a_bare_text_is_no_error]
    for test in tests:
        for mark in test.pytestmark:
            found += [case[0] if isinstance(case, tuple) else case for case in mark.args[1]]
    return found


def test_the_page_reads_codes_as_the_server_does(driver: Playwright, up: Up, tmp_path: Path) -> None:
    context = opened(driver, tmp_path / "profile")
    page = context.new_page()
    page.goto(f"{up.url}/scan")
    asked = [(text, kept) for text in _texts() for kept in (False, True)]
    told = page.evaluate(
        """async (asked) => {
          const { Reader } = await import("/scan/codes.js");
          const reader = new Reader(await (await fetch("/scan/application_identifiers.json")).json());
          return asked.map(([text, kept]) => {
            try { const code = reader.read(text, kept); return code.id === null ? { id: null } : { id: code.id, whole: code.whole, isClass: code.isClass }; }
            catch (error) { return error.code === "server" ? null : { refused: true }; }
          });
        }""",
        asked,
    )
    for (text, kept), found in zip(asked, told, strict=True):
        assert found is None or found == _verdict(text, kept), text
    assert sum(found is None for found in told) < len(told) / 10
    context.close()


def test_the_page_hashes_events_as_the_ledger_does(driver: Playwright, up: Up, tmp_path: Path) -> None:
    context = opened(driver, tmp_path / "profile")
    page = context.new_page()
    page.goto(f"{up.url}/scan")
    made = page.evaluate(
        """async () => {
          const { eventOf, hashOf, CONTEXT, STEP_NAMES } = await import("/scan/events.js");
          const { Reader } = await import("/scan/codes.js");
          const reader = new Reader(await (await fetch("/scan/application_identifiers.json")).json());
          const texts = ["(01)09506000134352(10)K/7(21)a%b(17)271231", "(01)09506000134352(21)Z", "(00)106141412345678908", "(01)09506000134352(10)LOT&1", "9506000134352"];
          const scans = texts.map((text, n) => ({ ...reader.read(text), quantity: ["1", "0.50", "12", "3.25", "100"][n], uom: n === 3 ? "KGM" : null }));
          const found = [], place = "https://id.gs1.org/414/9506000000015", parent = reader.read("(00)340123453111111115");
          for (const step of STEP_NAMES) for (const zone of ["+00:00", "-11:30"]) for (const document of [null, "urn:epcglobal:cbv:bt:9506000000015:a%20b"]) for (const some of [scans, scans.slice(0, 1), scans.slice(3)]) {
            const session = { step, zone, place, document, parent, own: "https://id.gs1.org/417/9506000000008", other: document && "https://id.gs1.org/417/0614141000005" };
            const event = eventOf(session, some, new Date(1777886400123 + found.length));
            const canonical = new Map([...some, parent].map((scan) => [scan.whole, scan.id]));
            found.push([event, await hashOf(event, canonical)]);
          }
          return { context: CONTEXT, found };
        }"""
    )
    document = {
        "@context": made["context"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-05-04T10:00:00Z",
    }
    document["epcisBody"] = {"eventList": [event for event, _ in made["found"]]}
    events = parse_document(document).events
    assert len(events) == 84
    assert [event.hash for event in events] == [digest for _, digest in made["found"]]
    context.close()


def test_nothing_is_loaded_from_elsewhere_and_little_from_here(driver: Playwright, up: Up, tmp_path: Path) -> None:
    context = opened(driver, tmp_path / "profile")
    page = context.new_page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.goto(f"{up.url}/scan")
    expect(page.get_by_text("Enrol this device")).to_be_visible()
    keep(page, "scan-enrol", tmp_path)
    assert all(url.startswith(up.url) for url in seen)
    sizes = [len(httpx.get(url).content) for url in {url.partition("#")[0] for url in seen}]
    assert sum(sizes) < 500_000
    assert errors == []
    context.close()


def film(path: Path, text: str) -> None:
    """A camera's picture of a printed QR code, as Chromium's fake camera takes it (Y4M)."""
    width, height, dot = 640, 480, 9
    rows = [
        bytes(cell for module in row for cell in [20 if module else 235] * dot)
        for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)
    ]
    margin = (width - len(rows[0])) // 2
    lines = [b"\xeb" * margin + row + b"\xeb" * (width - margin - len(row)) for row in rows for _ in range(dot)]
    above = (height - len(lines)) // 2
    blank = b"\xeb" * width
    picture = b"".join([blank] * above + lines + [blank] * (height - above - len(lines)))
    frame = b"FRAME\n" + picture + b"\x80" * (width * height // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + frame * 10)


def test_the_camera_reads_a_printed_code_once(driver: Playwright, up: Up, tmp_path: Path) -> None:
    if decoder.content("reader/zxing_reader.wasm") is None:
        pytest.skip("no decoder on this machine: `python -m api.decoder` fetches it")
    film(tmp_path / "code.y4m", f"https://shop.example/01/{GTIN}/21/70707?17=301231")
    camera = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    context = opened(
        driver, tmp_path / "profile", *camera, f"--use-file-for-fake-video-capture={tmp_path / 'code.y4m'}"
    )
    page = enrolled(up, context, "Camera")
    page.locator("#commission").click()
    page.locator("#camera").click()
    expect(page.locator("#count")).to_have_text("1", timeout=PATIENCE)
    keep(page, "scan-camera", tmp_path)
    expect(page.locator("#list")).to_contain_text("70707")
    page.wait_for_timeout(1500)  # it is still held before the camera
    expect(page.locator("#count")).to_have_text("1")
    confirm(page)
    until(lambda: device_of(up, "Camera")["counter"] == 1)
    made = up.admin.get(f"/things/{quote(item(70_707), safe='')}").json()
    assert made["commissioned"]
    context.close()


def test_what_a_revoked_device_holds_is_not_lost(driver: Playwright, up: Up, tmp_path: Path) -> None:
    context = opened(driver, tmp_path / "profile")
    page = enrolled(up, context, "Lost")
    context.set_offline(True)
    page.locator("#commission").click()
    page.locator("#scan").focus()
    type_in(page, raw(80_001))
    confirm(page)
    device = device_of(up, "Lost")["id"]
    assert up.admin.post("/devices/revoke", json={"id": device, "why": "left on a truck"}).status_code in (200, 201)
    context.set_offline(False)
    page.locator("#unsent").click()
    expect(page.get_by_text("Nothing is lost")).to_be_visible()
    expect(page.locator("li[data-state=waiting]")).to_have_count(1)
    keep(page, "scan-revoked", tmp_path)
    with page.expect_download() as saved:
        page.locator("#export").click()
    document = json.loads(Path(saved.value.path()).read_text())
    assert document["epcisBody"]["eventList"][0]["epcList"] == [item(80_001)]
    assert parse_document(document).events[0].signature is not None
    context.close()


def test_a_clock_that_runs_ahead_loses_nothing(driver: Playwright, up: Up, tmp_path: Path) -> None:
    context = opened(driver, tmp_path / "profile")
    page = enrolled(up, context, "Ahead")
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=2))
    page.reload()
    expect(page.locator("#clock")).to_contain_text("ahead", timeout=PATIENCE)
    page.locator("#commission").click()
    page.locator("#scan").focus()
    type_in(page, raw(90_001))
    confirm(page)
    page.locator("#unsent").click()
    page.clock.run_for(2_000)
    expect(page.locator("li")).to_contain_text("in the future", timeout=PATIENCE)
    expect(page.locator("#unsent")).to_have_text("1")
    keep(page, "scan-clock", tmp_path)
    context.close()
