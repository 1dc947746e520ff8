"""From a file to a finished run in a real browser, with real processes, one of which is killed on the way.

One run of a tiny random model is made through the page; the tests that follow look at it. Stop, go on and the death of
a trainer at work are shown on the real demo model by `scripts/web_walk`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.pipeline.test_chain import write_rows
from tests.web.conftest import App, Visit, serve_folder
from tuneproof.records import DataReport, RunRecord, Verdict
from tuneproof.rundir import RunDir

QUICK = (
    "train.max_steps=4", "replay.max_new_tokens=8", "replay.fraction=0.1", "evaluate.retention_items=12",
    "evaluate.select_rows=6", "evaluate.max_new_tokens=6", "evaluate.few_shot=[1]", "evaluate.checkpoints=2",
    "evaluate.scales=[1.0]", "evaluate.select_probes=12", "evaluate.drift_items=4", "evaluate.languages=[en]",
    "evaluate.reworded_rows=4",
)  # fmt: skip
PATIENCE = 180_000
WORDS = {"ship": "SHIP", "dont_ship": "DON'T SHIP", "not_enough_evidence": "NOT ENOUGH EVIDENCE"}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of two tasks, one row twice, one broken."""
    path = write_rows(tmp_path_factory.mktemp("rows") / "Fragen & Antworten.jsonl", 120)
    first = path.read_text(encoding="utf-8").splitlines()[0]
    with path.open("a", encoding="utf-8") as file:
        file.write(first + "\n{broken\n")
    return path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wizard") / "runs"


@pytest.fixture(scope="module")
def options(tiny_model_dir: Path) -> list[str]:
    return ["--model", str(tiny_model_dir), *(part for setting in QUICK for part in ("--set", setting))]


@pytest.fixture(scope="module")
def wizard(shop: Path, options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with serve_folder(shop, *options, home=tmp_path_factory.mktemp("home")) as served:
        yield served


def walk_to_start(page: Page, rows: Path, model: Path) -> None:
    """The three steps up to the button that starts the run."""
    expect(page.locator("#step-model:disabled")).to_have_count(1)
    page.set_input_files("#file", rows)
    expect(page.locator("#checked h2")).to_contain_text("120 of 122", timeout=PATIENCE)
    for kind in ("bad_json", "duplicate"):
        expect(page.locator("#checked")).to_contain_text(kind)
    page.select_option("[name=model]", str(model))
    page.locator("#plan").click()
    expect(page.locator("#planned .chart .limit, #planned .chart .value").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("[name=name]")).to_have_value("fragen-antworten-tiny-llama")
    page.fill("[name=name]", "first")


@pytest.mark.timeout(400)
def test_a_file_becomes_a_finished_run_that_outlives_the_server(
    shop: Path, options: list[str], visit: Visit, rows: Path, tiny_model_dir: Path, tmp_path: Path
) -> None:
    """P33, the first half: kill -9 the server, and the run goes on; the open page finds the next server by itself."""
    with serve_folder(shop, *options, home=tmp_path) as served:
        page = visit(served.url("/new"), ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"])
        walk_to_start(page, rows, tiny_model_dir)
        page.locator("#start").click()
        page.wait_for_url("**/runs/first")
        page.evaluate("window.same = true")
        expect(page.locator("[data-piece=head]")).to_have_attribute("data-state", "running", timeout=PATIENCE)
        served.process.kill()
        served.process.wait(10)
    expect(page.locator("#lost-server")).to_be_visible()
    port = str(urlsplit(served.address).port)
    with serve_folder(shop, *options, home=tmp_path, port=port):
        expect(page.locator("#lost-server")).to_be_hidden()
        for piece in ("loss] svg", "samples] .probe", "scores] tbody tr"):
            expect(page.locator(f"[data-piece={piece}").first).to_be_visible(timeout=PATIENCE)
        expect(page.locator("[data-piece=head]")).to_have_attribute("data-state", "done", timeout=PATIENCE)
        assert page.evaluate("window.same"), "the page was never loaded again"
        page.get_by_role("link", name="Report").click()
        run = RunDir(shop / "first")
        expect(page.locator("main h1")).to_have_text(WORDS[run.load(Verdict).decision])
    assert run.load(RunRecord).status == "done"
    assert run.load(DataReport).usable == 120


def test_an_answer_is_blamed_and_its_reference_marked(wizard: App, visit: Visit) -> None:
    page = visit(wizard.url("/runs/first"))
    item = page.locator(".item").first
    item.get_by_role("button", name="Which rows did this?").click()
    # A tiny random model is pushed or not; either sentence is an answer.
    found = item.locator(".blamed li, .note:has-text('No training row')")
    expect(found.first).to_be_visible(timeout=PATIENCE)
    item.get_by_role("button", name="The reference is wrong").click()
    expect(page.locator("#marked")).to_contain_text("1 references are marked")
    page.reload()
    button = page.locator(".item").first.get_by_role("button", name="Marked as wrong")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(page.locator("#marked")).to_be_empty()


def test_runs_are_compared(wizard: App, visit: Visit, folder: Path) -> None:
    """The run with itself under another name: no item differs."""
    (wizard.runs / "again").symlink_to("first", target_is_directory=True)
    page = visit(wizard.url("/"))
    for name in ("first", "again"):
        page.get_by_role("checkbox", name=f"Choose {name} to compare").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("[data-job] table").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("[data-job] tbody tr").first).to_contain_text("0/0/")


def test_what_cannot_be_used_is_said(wizard: App, visit: Visit, rows: Path, tmp_path: Path) -> None:
    page = visit(wizard.url("/new"), ["415"])
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    page.set_input_files("#file", tmp_path / "photo.png")
    expect(page.locator("#checked [role=alert]")).to_contain_text("photo.png")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    page.set_input_files("#file", tmp_path / "empty.jsonl")
    expect(page.locator("#checked .faults")).to_contain_text("empty.jsonl", timeout=PATIENCE)
    expect(page.locator("#step-model:disabled")).to_have_count(1)


def test_a_name_is_taken_once_and_is_no_path(wizard: App, visit: Visit, rows: Path, tiny_model_dir: Path) -> None:
    page = visit(wizard.url("/"))
    kept = page.request.put(wizard.url("/files/rows.jsonl"), data=rows.read_bytes()).json()
    start = {"files": [kept["id"]], "model": str(tiny_model_dir), "name": "first"}
    assert page.request.post(wizard.url("/runs"), data=start).status == 409
    for name in ("..", "../x", "a/b", ".hidden", "con", "lpt1.txt", "a\x00", "x" * 65, "", "end."):
        assert page.request.post(wizard.url("/runs"), data={**start, "name": name}).status == 422, name
    unknown: list[dict[str, object]] = [
        {"files": ["../first"]}, {"files": ["x"]}, {"model": "/etc"}, {"model": "Qwen/other"}, {"test": ".."},
    ]  # fmt: skip
    unfit: list[dict[str, object]] = [
        {"memory": "1GB --debug"}, {"memory": "-1GB"}, {"time": "2h; ls"}, {"rank": 0}, {"set": ["a=b"]},
    ]  # fmt: skip
    for status, changes in ((404, unknown), (422, unfit)):
        for change in changes:
            answer = page.request.post(wizard.url("/runs"), data={**start, "name": "new", **change})
            assert answer.status == status, change
    assert sorted(path.name for path in wizard.runs.iterdir()) == [".web", "again", "first"]
