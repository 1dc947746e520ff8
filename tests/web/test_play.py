"""The playground on a tiny random model: two sides that stream, a dial, the tokens that differ, a proof of sides."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.report.conftest import HOSTILE, make_answer
from tests.serve.runs import make_run
from tests.web.conftest import App, Visit, serve_folder
from tuneproof.web.playground import WorkerNote

PATIENCE = 120_000
QUESTION = "the user asks the assistant about an order"


@pytest.fixture(scope="module")
def ground(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A server over one run with a random adapter, its worker started by the first test that wants it."""
    runs = tmp_path_factory.mktemp("play") / "runs"
    run = make_run(runs / "tiny", tiny_model_dir)
    run.save_answers("tuned", "test", [make_answer(number, "tuned", "invoice") for number in range(12)])
    with serve_folder(runs, home=tmp_path_factory.mktemp("home")) as served:
        yield served
        worker = WorkerNote.model_validate_json((runs / ".web" / "playground.json").read_bytes()).pid
    assert not psutil.pid_exists(worker), "the worker ends with the server"


@pytest.fixture
def page(ground: App, visit: Visit) -> Page:
    """The playground, ready."""
    opened = visit(ground.url("/runs/tiny/play"))
    expect(opened.locator("#send")).to_be_enabled(timeout=PATIENCE)
    opened.locator("details.more summary").click()
    opened.fill("[name=max_tokens]", "24")
    return opened


def ask(page: Page, text: str) -> None:
    """Ask both sides and wait for the proof, which comes last."""
    page.fill("#prompt", text)
    page.locator("#send").click()
    expect(page.locator("#proof .proof")).to_be_visible(timeout=PATIENCE)


def test_both_sides_answer_and_are_told_apart(page: Page) -> None:
    ask(page, QUESTION)
    base, tuned = page.locator("#base").text_content(), page.locator("#tuned").text_content()
    assert base
    assert tuned
    assert base != tuned
    expect(page.locator("#base-facts")).to_have_text("24 tokens, cut")
    expect(page.locator("#difference")).to_contain_text("tokens differ")
    assert page.locator("#tuned ins").count() > 0
    expect(page.locator("#proof .proof.proven")).to_contain_text("✓")
    hashes = page.locator("#proof dd code").all_text_contents()
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_dial_asks_the_tuned_side_again(page: Page) -> None:
    ask(page, QUESTION)
    base, full = page.locator("#base").text_content(), page.locator("#tuned").text_content()
    dial = page.locator("#scale")
    dial.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#scale-value")).to_have_text("0.00")
    expect(page.locator("#difference")).to_have_text("Both answers are the same, token for token.", timeout=PATIENCE)
    assert page.locator("#tuned").text_content() == base
    dial.fill("0.5")
    expect(page.locator("#difference")).to_contain_text("differ", timeout=PATIENCE)
    half = page.locator("#difference").text_content()
    dial.fill("1")
    expect(page.locator("#difference")).not_to_have_text(str(half))
    expect(page.locator("#difference")).to_contain_text("differ", timeout=PATIENCE)
    assert page.locator("#tuned").text_content() == full
    assert page.locator("#base").text_content() == base, "the base has no strength and is not asked again"


def test_an_answer_comes_token_by_token(ground: App, page: Page) -> None:
    wanted = {"prompt": QUESTION, "side": "tuned", "scale": 0.25, "max_tokens": 12}
    events, arrivals = [], []
    with httpx2.stream("POST", ground.url("/runs/tiny/play/answer"), json=wanted, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                events.append(json.loads(line.removeprefix("data: ")))
                arrivals.append(time.perf_counter())
    assert {event["model"] for event in events} == {"tiny@0.25"}
    tokens = [
        token for event in events for token in (event["choices"][0].get("logprobs") or {"content": []})["content"]
    ]
    assert len(tokens) == 12
    assert len(set(arrivals)) > 6


def test_halt_ends_both_answers_and_the_next_comes(page: Page) -> None:
    page.fill("[name=max_tokens]", "1024")
    page.fill("#prompt", QUESTION)
    page.locator("#send").click()
    page.locator("#halt").click(timeout=5000)
    expect(page.locator("#halt")).to_be_hidden()
    page.fill("[name=max_tokens]", "8")
    ask(page, QUESTION)
    expect(page.locator("#tuned-facts")).to_have_text("8 tokens, cut")


def test_a_hostile_prompt_is_text(page: Page) -> None:
    page.fill("[name=max_tokens]", "4")
    for payload in HOSTILE:
        ask(page, payload)
    assert page.locator("main img, main svg, main math, [data-owned]").count() == 0
    assert "owned" not in page.title()


def test_a_prompt_of_the_test_rows_is_one_click_away(page: Page) -> None:
    page.fill("[name=max_tokens]", "4")
    button = page.locator("[data-prompt]").nth(1)
    wanted = button.get_attribute("data-prompt")
    button.click()
    assert page.locator("#prompt").input_value() == wanted
    expect(page.locator("#proof .proof")).to_be_visible(timeout=PATIENCE)


def test_what_is_asked_has_bounds(ground: App, page: Page) -> None:
    address = ground.url("/runs/tiny/play/answer")
    for change in (
        {"scale": 1.5},
        {"scale": -1},
        {"max_tokens": 10**6},
        {"side": "other"},
        {"prompt": ""},
        {"model": "x"},
    ):
        assert page.request.post(address, data={"prompt": "a", **change}).status == 422, change
    assert page.request.post(ground.url("/runs/other/play/answer"), data={"prompt": "a"}).status == 404
    assert page.request.post(ground.url("/runs/other/play/open")).status == 404


def test_a_run_that_cannot_be_served_says_why(app: App, visit: Visit) -> None:
    """The run of the other server has records and no adapter."""
    page = visit(app.url("/runs/complete/play"))
    expect(page.locator(".notice")).to_contain_text("no adapter")
