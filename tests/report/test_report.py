"""The page itself: whole in both languages, closed to markup, and equal to the records."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest

from tuneproof.figures import format_bytes, format_interval, format_percent, format_points
from tuneproof.messages import Language, load_catalogue
from tuneproof.records import Answer, DataReport, Marks, Plan, RunRecord, Standing, TaskResult, Trials, Verdict
from tuneproof.records.verdict import Control, Decision
from tuneproof.report import render_report, write_report
from tuneproof.report.text import show_controls
from tuneproof.rundir import PLACES, RunDir

SECTIONS = ("verdict", "gain", "answers", "forgotten", "degeneration", "beside", "curves", "data", "plan", "repeat")
LANGUAGES: tuple[Language, ...] = get_args(Language)
ELEMENTS = """
    html head meta title style body a header p strong bdi time main section h1 h2 h3 dl dt dd div ul li details summary
    table thead tbody tr th td nav span figure figcaption svg g line text tspan path rect fieldset legend label input
    button output small ins del article code pre script br
"""
ATTRIBUTES = """
    lang charset http-equiv content name class id href aria-label aria-labelledby dir scope type value checked hidden
    autocomplete spellcheck open for data-item tabindex role width height x y x1 x2 y1 y2 d text-anchor overflow
"""
# run.json is the one record that a page needs; a plain run has no trials.json.
OPTIONAL = [place for kind, place in PLACES.items() if kind not in (RunRecord, Trials, Marks, Standing)]
OPTIONAL += ["config.yaml", "events.jsonl"]
TEMPLATES = Path(str(files("tuneproof.report") / "templates"))


class Reader(HTMLParser):
    """Elements, attributes and texts of a page, as a browser's parser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "elements nest"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in self.inline:
            self.inline[self._open[-1]].append(data)
        else:
            self.texts.append(data)

    def with_class(self, name: str) -> Iterator[dict[str, str | None]]:
        return (attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split())


def assert_known(reader: Reader) -> None:
    """Nothing but the elements and attributes that the templates write."""
    assert {tag for tag, _ in reader.elements} <= set(ELEMENTS.split())
    assert {name for _, attributes in reader.elements for name in attributes} <= set(ATTRIBUTES.split())


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    chosen: Language = request.param
    return chosen


def flatten(page: str) -> str:
    """All text of the page, white space as a reader sees it."""
    return re.sub(r"\s+", " ", "".join(Reader(page).texts))


def test_every_section_is_there_in_order(complete: RunDir, language: Language) -> None:
    ids = [
        attributes.get("id")
        for tag, attributes in Reader(render_report(complete, language)).elements
        if tag in ("h1", "h2")
    ]
    assert [name for name in ids if name] == list(SECTIONS)


def test_only_known_elements_and_attributes_appear(complete: RunDir, language: Language) -> None:
    reader = Reader(render_report(complete, language))
    assert_known(reader)
    assert [len(reader.inline[name]) for name in ("script", "style")] == [1, 1]


def test_hostile_text_is_shown_as_text(complete: RunDir, hostile: list[str]) -> None:
    text = flatten(render_report(complete, "en"))
    for payload in hostile:
        assert re.sub(r"\s+", " ", show_controls(payload)) in text
    assert "\u202e" not in text
    assert "49" not in re.findall(r"\{\{ 7.{0,20}", text)[0]


def test_nothing_is_loaded_from_anywhere(complete: RunDir) -> None:
    elements = Reader(render_report(complete, "en")).elements
    links = [attributes[name] for _, attributes in elements for name in ("src", "href") if name in attributes]
    assert links
    assert all(link and link.startswith("#") for link in links)
    ids = {attributes.get("id") for _, attributes in elements}
    assert all(str(link)[1:] in ids for link in links)


def test_ids_are_unique(complete: RunDir) -> None:
    ids = [attributes["id"] for _, attributes in Reader(render_report(complete, "en")).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_policy_allows_the_inline_script_and_style_and_nothing_else(complete: RunDir) -> None:
    reader = Reader(render_report(complete, "en"))
    (policy,) = [a["content"] for t, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for name in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(reader.inline[name][0].encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert rules.keys() == {"default-src", "script-src", "style-src", "base-uri", "form-action"}


def test_no_template_switches_escaping_off() -> None:
    for template in TEMPLATES.glob("*.jinja"):
        source = template.read_text(encoding="utf-8")
        assert "safe" not in re.findall(r"\|\s*(\w+)", source), template.name
        assert "autoescape" not in source, template.name


def test_every_sentence_a_template_names_exists_in_the_catalogue() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.jinja"))
    whole = set(re.findall(r'\bt\("([\w.]+)"[,)]', sources))
    begun = set(re.findall(r'\bt\("([\w.]+)\." ~', sources))
    assert len(whole) > 50
    assert {f"report.{key}" for key in whole} <= load_catalogue().keys()
    assert all(any(key.startswith(f"report.{group}.") for key in load_catalogue()) for group in begun)


def test_no_sentence_is_missing_whatever_the_verdict_says(complete: RunDir, language: Language) -> None:
    verdict = complete.load(Verdict)
    reasons = [key.removeprefix("verdict.reason.") for key in load_catalogue() if key.startswith("verdict.reason.")]
    for decision, kind in zip(get_args(Decision), get_args(Control.model_fields["kind"].annotation), strict=True):
        assert verdict.task.control
        control = verdict.task.control.model_copy(update={"kind": kind})
        task = verdict.task.model_copy(update={"control": control})
        complete.save(verdict.model_copy(update={"decision": decision, "reasons": reasons, "task": task}))
        page = render_report(complete, language)
        assert html.escape(load_catalogue()[f"report.decision.{decision}"][LANGUAGES.index(language)], quote=False) in (
            html.unescape(page)
        )


def test_the_page_is_in_one_language(complete: RunDir) -> None:
    assert '<html lang="en">' in render_report(complete, "en")
    assert '<html lang="zh-CN">' in render_report(complete, "zh")
    english = {pair[0] for key, pair in load_catalogue().items() if key.startswith("report.topic.")}
    assert not any(topic in flatten(render_report(complete, "zh")) for topic in english)


def test_numbers_on_the_page_are_those_of_the_records(complete: RunDir, language: Language) -> None:
    text = flatten(render_report(complete, language))
    verdict, plan, data = complete.load(Verdict), complete.load(Plan), complete.load(DataReport)
    assert verdict.task.control
    expected = [
        format_points(verdict.task.delta, language),
        format_interval(verdict.task.ci95, language),
        format_percent(verdict.task.base, language),
        format_percent(verdict.task.tuned, language),
        format_points(verdict.task.control.delta, language),
        format_interval(verdict.task.control.ci95, language),
        format_bytes(plan.peak_bytes, language),
        format_bytes(plan.measured_peak_bytes, language),
        format_bytes(plan.limit_bytes, language),
        *(format_interval(task.ci95, language) for task in verdict.tasks),
        *(str(count) for count in data.counts.values()),
        str(verdict.rows_needed),
        *(f"{count:,}" for count in data.lengths),
        "50–99",
        "161 / 321",
        "0f3a5c7d9e1b",
    ]
    for number in expected:
        assert re.sub(r"\s+", " ", number) in text


def test_every_answer_stands_on_the_page_as_it_was_given(complete: RunDir, answers: dict[str, list[Answer]]) -> None:
    text = flatten(render_report(complete, "en"))
    for answer in [*answers["base"], *answers["tuned"]]:
        assert re.sub(r"\s+", " ", show_controls(answer.answer)).strip() in text
        assert re.sub(r"\s+", " ", show_controls(answer.prompt)).strip() in text


def test_counts_by_outcome_and_task_add_up(complete: RunDir) -> None:
    reader = Reader(render_report(complete, "en"))
    items = list(reader.with_class("item"))
    assert len(items) == 40
    assert sum(len(list(reader.with_class(name))) for name in ("improved", "regressed", "unchanged")) == 40
    assert sum(len(list(reader.with_class(f"task-{number}"))) for number in range(4)) == 40


def test_each_filter_has_a_rule_that_works_without_the_script(complete: RunDir) -> None:
    reader = Reader(render_report(complete, "en"))
    style = reader.inline["style"][0]
    radios = [attributes for tag, attributes in reader.elements if attributes.get("type") == "radio"]
    assert len(radios) == 4 + 5
    for radio in radios:
        if radio["value"] != "all":
            assert f"main:has(#{radio['id']}:checked) .item:not(.{radio['value']})" in style


def test_drawings_are_well_formed_and_say_their_finding(complete: RunDir, language: Language) -> None:
    drawings = re.findall(
        r"<svg class=\"chart\".*?</svg>(?=\s*<(?:/figure|figcaption))", render_report(complete, language), re.S
    )
    assert len(drawings) == 6
    for drawing in drawings:
        assert len(ElementTree.fromstring(drawing).attrib["aria-label"]) > 10


@pytest.mark.parametrize("missing", OPTIONAL)
def test_a_page_without_one_record_still_tells_the_rest(complete: RunDir, missing: str) -> None:
    (complete.path / missing).unlink()
    page = render_report(complete, "en")
    ids = [attributes.get("id") for tag, attributes in Reader(page).elements if tag in ("h1", "h2")]
    assert [name for name in ids if name] == list(SECTIONS)
    # The split is a part of the section on data, the drift's numbers are in the verdict, what stands beside it was not
    # asked for: no sentence of their own.
    silent = ("data/split.json", "eval/drift.json", "eval/judge.json", "eval/harness.json")
    assert ('class="missing"' in page) == (missing not in silent)


def test_a_run_that_has_just_begun_has_a_page(begun: RunDir, language: Language) -> None:
    page = render_report(begun, language)
    assert page.count('class="missing"') == 10
    assert html.escape(load_catalogue()["report.status.running"][LANGUAGES.index(language)]) in page


def test_a_failed_run_says_why(begun: RunDir) -> None:
    record = begun.load(RunRecord)
    begun.save(record.model_copy(update={"status": "failed", "error": "loss is <nan>"}))
    assert "loss is &lt;nan&gt;" in render_report(begun, "en")


def test_what_was_not_measured_is_said_and_never_none(complete: RunDir, language: Language) -> None:
    verdict = complete.load(Verdict)
    nothing = TaskResult(
        metric="exact", n=0, base=None, tuned=None, delta=None, ci95=None, p_value=None, better=0, worse=0, same=0
    )
    retention = verdict.retention.model_copy(update={"net_loss": None, "loss_upper95": None, "p_value": None})
    arms = {arm: dict.fromkeys(measures) for arm, measures in verdict.degeneration.items()}
    empty = {"task": nothing, "tasks": [], "retention": retention, "degeneration": arms, "degeneration_failed": []}
    complete.save(verdict.model_copy(update={**empty, "rows_needed": None, "minimum_detectable_effect": None}))
    text = flatten(render_report(complete, language))
    assert "None" not in text
    assert text.count(load_catalogue()["report.not_measured"][LANGUAGES.index(language)]) > 20


def test_writing_replaces_the_page_and_leaves_nothing_else(complete: RunDir) -> None:
    complete.report.write_text("old", encoding="utf-8")
    before = sorted(complete.path.iterdir())
    assert write_report(complete, "en") == complete.report
    assert complete.report.read_text(encoding="utf-8") == render_report(complete, "en")
    assert sorted(complete.path.iterdir()) == before


def test_a_browser_runs_our_script_and_no_other(complete: RunDir, tmp_path: Path) -> None:
    browser = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if browser is None:
        pytest.skip("no chromium on this machine")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}"]
    page = write_report(complete, "en").as_uri()
    done = subprocess.run([*command, "--dump-dom", page], capture_output=True, encoding="utf-8", timeout=90, check=True)
    reader = Reader(done.stdout)
    assert_known(reader)
    assert reader.texts[: reader.texts.index("first run")].count("DON'T SHIP · first run · tuneproof") == 1
    (tools,) = [attributes for _, attributes in reader.elements if attributes.get("id") == "tools"]
    assert "hidden" not in tools, "our own script ran"


def test_overfitting_stands_beside_the_stereotyped_output(complete: RunDir) -> None:
    page = render_report(complete, "en")
    section = page.partition('id="degeneration"')[2].partition("</section>")[0]
    for shown in ("91.4", "52.5", "38.9", "7.5", "17 of 40"):
        assert shown in section, shown
    assert "knows its training rows better" in section
    assert html.escape("</textarea></style></script>", quote=False) in section


def test_what_was_not_measured_of_overfitting_is_not_shown(complete: RunDir) -> None:
    verdict = complete.load(Verdict)
    complete.save(
        verdict.model_copy(update={"overfitting": {}, "copied_answers": [], "opening": None, "rewording": None})
    )
    section = render_report(complete, "en").partition('id="degeneration"')[2].partition("</section>")[0]
    assert "training rows" not in section
    assert "opening:" not in section


def test_a_model_that_leans_on_the_wording_is_told(complete: RunDir) -> None:
    section = render_report(complete, "en").partition('id="degeneration"')[2].partition("</section>")[0]
    for shown in ("30 test rows", "52.5", "34.6", "17.9", "leans on the wording"):
        assert shown in section, shown
    verdict = complete.load(Verdict)
    assert verdict.rewording
    complete.save(verdict.model_copy(update={"rewording": verdict.rewording.model_copy(update={"ci95": (-0.2, 0.1)})}))
    section = render_report(complete, "en").partition('id="degeneration"')[2].partition("</section>")[0]
    assert "leans on the wording" not in section


def test_what_the_control_costs_at_every_call_is_told(complete: RunDir) -> None:
    top = render_report(complete, "en").partition('id="verdict"')[2].partition("</section>")[0]
    assert "5 solved rows and takes 431 tokens" in top
    assert "reads 53" in top
