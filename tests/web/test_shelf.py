"""The runs of a folder: which count, what is said of them, and that a thousand are listed in a moment."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.report.conftest import make_verdict, write_begun, write_complete
from tests.web.conftest import App, Visit, measure_paint, serve_folder
from tuneproof.records import RunRecord, Verdict
from tuneproof.web.routes.runs import PAGE, Asked, choose_lines
from tuneproof.web.shelf import Shelf, pick_some, read_subject

RUNS = 1000


def test_only_direct_children_with_a_record_are_runs(tmp_path: Path) -> None:
    write_begun(tmp_path / "one")
    write_begun(tmp_path / "one" / "trials" / "inside")
    write_begun(tmp_path / ".hidden")
    write_begun(tmp_path.parent / f"{tmp_path.name}-outside")
    (tmp_path / "link").symlink_to(tmp_path.parent / f"{tmp_path.name}-outside", target_is_directory=True)
    (tmp_path / "twin").symlink_to(tmp_path / "one", target_is_directory=True)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert sorted(Shelf(tmp_path).list_runs()) == ["one", "twin"]
    assert Shelf(tmp_path / "nothing").list_lines() == []


def test_a_line_says_what_the_records_say(tmp_path: Path) -> None:
    run = write_complete(write_begun(tmp_path / "one"))
    run.config.write_text(
        "model:\n  name: demo\ndata:\n  files:\n  - /some/where/rows.jsonl\ntrain: {}\n", encoding="utf-8"
    )
    (line,) = Shelf(tmp_path).list_lines()
    verdict = run.load(Verdict)
    assert (line.decision, line.gain, line.ci95, line.n) == ("dont_ship", 0.324, (0.241, 0.405), 40)
    assert (line.lost, line.gained, line.net_loss) == (6, 2, verdict.retention.net_loss)
    assert (line.model, line.files, line.state) == ("demo", ("rows.jsonl",), "done")
    assert line.seconds == pytest.approx(345.5)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("/some/where/my-model/", "my-model"),
        ("./mine", "mine"),
        ("C:\\m\\mine", "mine"),
        ("Qwen/Qwen2", "Qwen/Qwen2"),
        ("demo", "demo"),
    ],
)
def test_a_base_in_a_folder_goes_by_the_folders_name(tmp_path: Path, model: str, name: str) -> None:
    run = write_begun(tmp_path / "one")
    text = f"model:\n  name: {json.dumps(model)}\ndata:\n  files: []\n"
    run.config.write_text(text, encoding="utf-8")
    (line,) = Shelf(tmp_path).list_lines()
    assert (line.model, line.base) == (model, name)


def test_a_line_is_read_again_when_a_record_changes(tmp_path: Path) -> None:
    run, shelf = write_begun(tmp_path / "one"), Shelf(tmp_path)
    assert [line.decision for line in shelf.list_lines()] == [None]
    run.save(make_verdict())
    assert [line.decision for line in shelf.list_lines()] == ["dont_ship"]
    shutil.rmtree(run.path)
    assert shelf.list_lines() == []


def test_damaged_records_hide_no_other_run(tmp_path: Path) -> None:
    write_begun(tmp_path / "one")
    for name in ("broken", "halved"):
        write_complete(write_begun(tmp_path / name))
    (tmp_path / "broken" / "run.json").write_text("{", encoding="utf-8")
    (tmp_path / "halved" / "verdict.json").write_text('{"decision": "ship"', encoding="utf-8")
    (tmp_path / "halved" / "config.yaml").write_text("model: [\n", encoding="utf-8")
    lines = {line.name: line for line in Shelf(tmp_path).list_lines()}
    assert sorted(lines) == ["halved", "one"]
    assert (lines["halved"].decision, lines["halved"].model) == (None, None)


@pytest.mark.parametrize(
    "text", ["", "model: {}\n", "model:\n  name: null\ndata:\n  files: null\n", "\x00", "data: 1\nmodel: 2\n"]
)
def test_a_config_without_a_subject_gives_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert read_subject(tmp_path / "config.yaml") == (None, ())


def test_a_curve_is_thinned_to_its_last_point() -> None:
    points = [(step, 1.0 / step) for step in range(1, 1001)]
    some = pick_some(points, 40)
    assert len(some) == 40
    assert some[-1] == points[-1]
    assert pick_some(points[:3], 40) == points[:3]
    assert pick_some([], 40) == []


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand runs with losses; every third has a verdict."""
    folder = tmp_path_factory.mktemp("crowd") / "runs"
    verdict = make_verdict().model_dump_json()
    events = "".join(f'{{"time": {n}, "kind": "step", "step": {n}, "loss": {1 / n}}}\n' for n in range(1, 301))
    record = write_begun(folder.parent / "one").load(RunRecord).model_copy(update={"status": "done"})
    for number in range(RUNS):
        # Not by `RunDir.save`, which waits for the disk each time.
        run = folder / f"run-{number:04}"
        run.mkdir(parents=True)
        text = record.model_copy(update={"created": 1.7e9 + number}).model_dump_json()
        (run / "run.json").write_text(text, encoding="utf-8")
        subject = f"model:\n  name: base-{number % 7}\ndata:\n  files: [rows-{number}.jsonl]\n"
        (run / "config.yaml").write_text(subject, encoding="utf-8")
        (run / "events.jsonl").write_text(events, encoding="utf-8")
        if number % 3 == 0:
            (run / "verdict.json").write_text(verdict, encoding="utf-8")
    return folder


def test_a_thousand_runs_are_filtered_sorted_and_paged(crowd: Path) -> None:
    shelf = Shelf(crowd)
    shown = choose_lines(shelf, Asked())
    assert (shown.all, shown.found, shown.pages, len(shown.lines)) == (RUNS, RUNS, RUNS // PAGE, PAGE)
    assert shown.lines[0][0].name == "run-0999"
    assert len(shown.lines[0][1]) > 30
    gain = choose_lines(shelf, Asked(sort="gain", order="up", page=RUNS // PAGE))
    assert all(line.gain is None for line, _ in gain.lines), "what has no value comes last either way"
    assert choose_lines(shelf, Asked(sort="gain", order="down")).lines[0][0].gain is not None
    assert choose_lines(shelf, Asked(only="ship")).found == 0
    assert choose_lines(shelf, Asked(only="dont_ship")).found == 334
    assert choose_lines(shelf, Asked(q="BASE-3 rows-10")).found > 0
    assert choose_lines(shelf, Asked(page=10**6)).asked.page == RUNS // PAGE


def test_a_thousand_runs_stay_fluent_in_the_browser(crowd: Path, visit: Visit, tmp_path: Path) -> None:
    """The first look reads everything, and every further one takes what has not changed from memory."""
    with serve_folder(crowd, home=tmp_path) as served:
        begun = time.perf_counter()
        page = visit(served.url("/"))
        expect(page.locator("tbody tr")).to_have_count(PAGE)
        assert time.perf_counter() - begun < 10
        assert page.evaluate("performance.getEntriesByType('navigation')[0].transferSize") < 60_000
        paints: list[float] = []
        while not paints or (min(paints) >= 1000 and len(paints) < 5):
            page.reload()
            paints.append(measure_paint(page))
        begun = time.perf_counter()
        page.fill("[type=search]", "run-0042")
        expect(page.locator("tbody tr")).to_have_count(1)
        filtered = time.perf_counter() - begun
        page.fill("[type=search]", "")
        expect(page.locator("tbody tr")).to_have_count(PAGE)
        page.get_by_role("link", name="Gain, points").click()
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("Gain")
        assert "sort=gain" in page.url
        assert min(paints) < 1000
        assert filtered < 2.0


def test_a_choice_of_runs_survives_filter_and_page(app: App, visit: Visit) -> None:
    page = visit(app.url("/"))
    page.get_by_role("checkbox", name="Choose complete to compare").check()
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    page.fill("[type=search]", "onerror")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("checkbox").check()
    expect(compare).to_be_enabled()
    compare.click()
    page.wait_for_url("**/compare?**")
    assert f"run={quote('complete')}" in page.url
    assert page.url.count("run=") == 2
