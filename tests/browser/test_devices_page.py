"""The dashboard's page about scanners, as an admin uses it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.test_dashboard import PATIENCE, Up, browser, dashboard, keep, lotline, page, pytestmark, settled, up  # noqa: F401  # noqa: F401


def test_an_analyst_may_look_and_no_more(page: Page, up: Up, dashboard: str, tmp_path: Path) -> None:  # noqa: F811
    page.goto(f"{dashboard}/devices")
    expect(page.get_by_text("No scanner is enrolled yet.")).to_be_visible(timeout=PATIENCE)
    page.get_by_text("Enrol a device (admins)").click()
    page.get_by_role("button", name="Show a code").click()
    expect(page.get_by_text("this needs the role admin")).to_be_visible(timeout=PATIENCE)
    settled(page)


def test_an_admin_gets_a_code(page: Page, up: Up, dashboard: str, tmp_path: Path) -> None:  # noqa: F811
    token = lotline(up.home, "token", "create", "--role", "admin", "--identity", "admin").strip()
    page.goto(f"{dashboard}/devices")
    page.get_by_text("Sign out").click()
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{dashboard}/**")
    page.goto(f"{dashboard}/devices")
    page.get_by_text("Enrol a device (admins)").click(timeout=PATIENCE)
    page.get_by_role("button", name="Show a code").click()
    expect(page.get_by_text("Good once")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("#enrol=enr_")).to_be_visible()
    keep(page, "devices", tmp_path)
