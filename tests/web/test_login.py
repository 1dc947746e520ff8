"""The way in and out with a token, in a real browser: what it sends with a form is its own choice."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.web.conftest import Visit, serve_folder


def test_a_reader_logs_in_and_out(folder: Path, visit: Visit, tmp_path: Path) -> None:
    with serve_folder(folder, "--token", "geheim", home=tmp_path) as app:
        page = visit(app.url("/runs/complete"), allowed=["401"])
        expect(page).to_have_url(app.url("/login"))
        assert page.locator("nav, [action='/logout']").count() == 0
        page.fill("[name=token]", "geheimer")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        page.fill("[name=token]", "geheim")
        page.get_by_role("button", name="Enter").click()
        expect(page).to_have_url(app.url("/"))
        expect(page.get_by_role("link", name="complete")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page).to_have_url(app.url("/login"))
        page.goto(app.url("/runs/complete"))
        expect(page).to_have_url(app.url("/login"))
