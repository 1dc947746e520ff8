"""The app as a user has it: `tuneproof ui` in a process of its own, and a real browser that watches what it does.

def test_it(app: App, visit: Visit) -> None:
    page = visit(app.url("/"))       # fails at the end on an error of the console, a dialog, a request that left
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from tests.report.conftest import write_begun, write_complete
from tuneproof.rundir import RunDir

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
HOSTILE_NAME = '"><img src=x onerror="document.title=1">{{7*7}}'
"""A folder may be named so; a stroke it cannot have."""


class App(NamedTuple):
    """A server that is open."""

    address: str
    runs: Path
    process: subprocess.Popen[str]

    def url(self, path: str) -> str:
        return self.address.rstrip("/") + path


@contextmanager
def serve_folder(runs: Path, *options: str, home: Path, port: str = "0") -> Iterator[App]:
    """`tuneproof ui`, on a free port where none is named."""
    variables = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "HF_HOME": str(home / "hub"), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "tuneproof", "ui", "--runs", str(runs), "--port", port, "--json", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, encoding="utf-8", env={**os.environ, **variables}
    )  # fmt: skip
    try:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or lines[-1].rstrip() != "}":
            lines.append(process.stdout.readline())
            assert lines[-1], "the server ended before it was open"
        yield App(json.loads("".join(lines))["address"], runs, process)
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: one with every record, one that has just begun, one whose name is markup."""
    runs = tmp_path_factory.mktemp("web") / "runs"
    write_complete(write_begun(runs / "complete"))
    write_begun(runs / "begun")
    write_complete(write_begun(runs / HOSTILE_NAME))
    return runs


@pytest.fixture(scope="session")
def app(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A server over the three runs; tests that share it write nothing into them."""
    with serve_folder(folder, home=tmp_path_factory.mktemp("home")) as served:
        yield served


@pytest.fixture
def own_run(tmp_path: Path) -> RunDir:
    """A complete run in a folder of this test alone: `own_run.path.parent` can be served."""
    return write_complete(write_begun(tmp_path / "runs" / "mine"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own browser. While it is there its loop of events runs in this thread, which no other may then."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        launched = playwright.chromium.launch(executable_path=path, args=flags)
        yield launched
        launched.close()


def measure_paint(page: Page) -> float:
    """Milliseconds from the request to the first content on the screen."""
    for _ in range(100):
        found = page.evaluate("performance.getEntriesByName('first-contentful-paint').map((one) => one.startTime)")
        if found:
            return float(found[0])
        page.wait_for_timeout(50)
    raise AssertionError("nothing was painted")


class Watched(NamedTuple):
    """What a page did that no page of ours may do."""

    errors: list[str]
    dialogs: list[str]
    outside: list[str]


Visit = Callable[..., Page]


@pytest.fixture
def watched() -> Watched:
    return Watched([], [], [])


@pytest.fixture
def visit(browser: Browser, watched: Watched) -> Iterator[Visit]:
    """Open an address in a browser of its own settings; at the end nothing forbidden has happened."""
    contexts = []

    def open_address(address: str, allowed: Sequence[str] = (), **settings: Any) -> Page:
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        own = "/".join(address.split("/")[:3])

        def hear(message: Any) -> None:
            if message.type in ("error", "warning") and not any(word in message.text for word in allowed):
                watched.errors.append(message.text)

        def refuse(dialog: Dialog) -> None:
            watched.dialogs.append(dialog.message)
            dialog.dismiss()

        page.on("console", hear)
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("dialog", refuse)
        page.on("request", lambda one: None if one.url.startswith(own) else watched.outside.append(one.url))
        page.goto(address)
        return page

    yield open_address
    for context in contexts:
        context.close()
    assert watched == ([], [], [])
