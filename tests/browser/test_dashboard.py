"""The whole dashboard in a real browser: what `lotline up` runs, seen by somebody who clicks."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

import ui
from tests.integration.api.processes import free_port, until

pytestmark = pytest.mark.browser
PATIENCE = 60_000
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)


def lotline(home: Path, *arguments: str) -> str:
    """Run a command to its end; what it printed."""
    command = [sys.executable, "-m", "lotline.cli", "--home", str(home), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Up:
    """A running instance: its home, its dashboard's address."""

    home: Path
    url: str


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    home = tmp_path_factory.mktemp("browser") / "home"
    port = free_port()
    # processes of their own: the browser's driver keeps an event loop in this one
    lotline(home, "simulate", "--events", "2500", "--days", "120", "--seed", "7", "--end", "2026-05-01")
    lotline(home, "forecast", "--max-series", "6")
    config = home / "config.toml"
    config.write_text(config.read_text().replace("port = 8700", f"port = {free_port()}"))
    lotline(home, "up", "--detach", "--ui-port", str(port))
    try:
        yield Up(home, f"http://127.0.0.1:{port}")
    finally:
        lotline(home, "down")


@pytest.fixture
def dashboard(up: Up, page: Page) -> str:
    """The address of a running instance's dashboard, to which the page's browser is signed in."""
    page.goto(lotline(up.home, "signin").strip())
    page.wait_for_url(f"{up.url}/")
    page.goto("about:blank")
    return up.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: `make browser` installs one where it may")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1440, "height": 1000})
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


def settled(page: Page) -> None:
    """Nothing runs any more, and nothing failed; to be asked when what a run brings can already be seen."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def keep(page: Page, name: str, tmp_path: Path) -> None:
    """A screenshot, in LOTLINE_SCREENSHOTS if somebody wants to look at it."""
    folder = Path(os.environ.get("LOTLINE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"{name}.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000  # an empty page is smaller


def drawn_graph(page: Page) -> Locator:
    """The graph of a trace, once its tab is open and it is drawn."""
    page.get_by_role("tab", name="Graph").click(timeout=PATIENCE)
    graph = page.get_by_test_id("stGraphVizChart").locator("svg").filter(visible=True)
    expect(graph).to_have_count(1, timeout=PATIENCE)
    return graph


@pytest.mark.parametrize(
    ("path", "heading", "content"),
    [
        ("/", "Overview", "What may run out"),
        ("/overview", "Overview", "What may run out"),
        ("/trace", "Trace", "Some that moved lately"),
        ("/forecasts", "Forecasts", "How the models did on the past"),
        ("/disruptions", "Disruptions", "How likely is each open handoff to be late?"),
        ("/devices", "Devices", "No scanner is enrolled yet."),
    ],
)
def test_every_page_opens(page: Page, dashboard: str, tmp_path: Path, path: str, heading: str, content: str) -> None:
    page.goto(dashboard + path)
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(content).first).to_be_attached(timeout=PATIENCE)
    settled(page)
    keep(page, heading.lower(), tmp_path)


def test_from_a_suggestion_to_the_graph_and_its_events(page: Page, dashboard: str, tmp_path: Path) -> None:
    page.goto(f"{dashboard}/trace")
    page.get_by_test_id("stPageLink-NavLink").filter(has_text="→").first.click()
    drawn_graph(page)
    settled(page)
    assert "id=" in page.url
    keep(page, "trace-graph", tmp_path)
    page.get_by_role("tab", name=re.compile("Events")).click()
    expect(page.get_by_role("button", name="Events as CSV")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Events as CSV").click()
    text = Path(download.value.path()).read_text()
    assert text.startswith("eventTime,recordTime,type,action,bizStep,disposition,thing,product,")
    assert len(text.splitlines()) > 2


def test_from_a_typed_lot_number_to_its_trace_and_back_by_its_address(
    page: Page, dashboard: str, tmp_path: Path
) -> None:
    page.goto(f"{dashboard}/trace")
    field = page.get_by_label("Lot, item, case or pallet")
    field.fill("L00002")
    field.press("Enter")
    page.get_by_text("things carry this number").wait_for()  # several products have a lot of this number
    page.get_by_test_id("stSelectbox").locator("input").click()
    page.get_by_role("option", name=re.compile("lot L00002")).first.click()
    graph = drawn_graph(page)
    settled(page)
    expect(graph.get_by_text("lot L00002").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"id=https.*10(/|%2F)L00002"))
    title = page.get_by_role("heading", name=re.compile("lot L00002")).inner_text()
    keep(page, "trace-lot", tmp_path)
    page.goto(page.url)
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=PATIENCE)


def test_evidence_opens_and_leads_to_the_trace(page: Page, dashboard: str, tmp_path: Path) -> None:
    all_cards = page.get_by_test_id("stExpander")
    page.goto(f"{dashboard}/disruptions")
    expect(page.get_by_text("How likely is each open handoff to be late?")).to_be_attached(timeout=PATIENCE)
    settled(page)
    card = all_cards.filter(has_text="Custody gap").first
    card.locator("summary").click()
    page.get_by_test_id("stButtonGroup").get_by_text("Custody gap").click()
    expect(all_cards.filter(has_not_text="Custody gap")).to_have_count(0, timeout=PATIENCE)
    settled(page)
    card.get_by_text("Show the evidence").click()  # it moved to the top, and is still open
    expect(card.get_by_test_id("stDataFrame")).to_be_visible(timeout=PATIENCE)
    settled(page)
    keep(page, "evidence", tmp_path)
    card.get_by_test_id("stPageLink-NavLink").filter(has_text="Trace it").click()
    drawn_graph(page)
    settled(page)


@pytest.fixture(scope="module")
def dashboard_alone(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[str, Page]]:
    """A dashboard whose API is not there."""
    port = free_port()
    code, file = "once", tmp_path_factory.mktemp("alone") / "signin.json"
    file.write_text(json.dumps({hashlib.sha256(code.encode()).hexdigest(): time.time() + 600}))
    command = [
        sys.executable, "-m", "streamlit", "run", str(Path(ui.__file__).with_name("server.py")), f"--server.port={port}",
        "--server.address=127.0.0.1", "--server.headless=true", "--browser.gatherUsageStats=false",
    ]  # fmt: skip
    settings = {
        **os.environ,
        "LOTLINE_API_URL": f"http://127.0.0.1:{free_port()}",
        "LOTLINE_TOKEN": "token",
        "LOTLINE_SIGN_IN": str(file),
    }
    with subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            until(lambda: is_up(f"{url}/_stcore/health"))
            page = browser.new_page()
            page.goto(f"{url}/signin?code={code}")
            yield url, page
            page.close()
        finally:
            process.terminate()


def is_up(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("path", ["/", "/trace", "/forecasts", "/disruptions"])
def test_without_the_api_there_is_one_message(dashboard_alone: tuple[str, Page], path: str) -> None:
    url, page = dashboard_alone
    page.goto(url + path)
    expect(page.get_by_test_id("stAlert")).to_have_count(1, timeout=PATIENCE)
    expect(page.get_by_test_id("stAlert")).to_contain_text("does not answer")
    settled(page)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_the_sidebar_leads_from_page_to_page(page: Page, dashboard: str) -> None:
    page.goto(dashboard)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Forecasts").click()
    expect(page.get_by_role("heading", name="Forecasts", exact=True)).to_be_visible(timeout=PATIENCE)
    settled(page)


def test_nothing_is_shown_before_signing_in_and_nothing_after_signing_out(page: Page, up: Up, tmp_path: Path) -> None:
    page.goto(f"{up.url}/trace?id=urn:x")
    expect(page.get_by_role("heading", name="Lotline")).to_be_visible()
    assert page.url.startswith(f"{up.url}/signin")
    keep(page, "signin", tmp_path)
    page.get_by_label("Token").fill("lot_of_somebody_else")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("unknown or revoked")
    keep(page, "signin-refused", tmp_path)
    page.get_by_label("Token").fill(lotline(up.home, "token", "create", "--role", "scanner").strip())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("for scanning")
    page.get_by_label("Token").fill(lotline(up.home, "token", "create", "--role", "analyst").strip())
    page.get_by_label("Token").press("Enter")
    expect(page.get_by_role("heading", name="Trace", exact=True)).to_be_visible(timeout=PATIENCE)
    assert page.url.startswith(f"{up.url}/trace?id=")
    settled(page)
    page.reload()
    expect(page.get_by_role("heading", name="Trace", exact=True)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto(up.url)
    expect(page.get_by_label("Token")).to_be_visible()


def test_a_link_signs_in_once(browser: Browser, up: Up) -> None:
    link = lotline(up.home, "signin").strip()
    for wanted in ("Overview", "Lotline"):
        page = browser.new_page()
        page.goto(link)
        expect(page.get_by_role("heading", name=wanted, exact=True)).to_be_visible(timeout=PATIENCE)
        page.close()


SPITEFUL = "![i](http://pages.example/x.png) [Please sign in](http://pages.example) www.pages.example me@pages.example"


def test_what_somebody_else_wrote_is_text_and_nothing_is_loaded_from_elsewhere(page: Page, dashboard: str) -> None:
    """In an address that was sent to somebody; names on the ledger go the same way to the page."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for said in (SPITEFUL, f"https://pages.example/{SPITEFUL.replace(' ', '_')}"):
        page.goto(f"{dashboard}/trace?id={quote(said)}")
        expect(page.get_by_test_id("stAlert").first).to_be_visible(timeout=PATIENCE)
        settled(page)
        expect(page.locator("a[href*='pages.example'], img[src*='pages.example']")).to_have_count(0)
        assert "pages.example" in page.get_by_test_id("stAlert").first.inner_text()
    elsewhere = [url for url in asked if not url.startswith((dashboard, "data:", "blob:"))]
    assert elsewhere == []
