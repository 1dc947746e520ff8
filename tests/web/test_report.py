"""What stands beside the report: marks that change no verdict, a table that is no program, files to take along."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.report.conftest import make_answer
from tuneproof.records import Marks, Row, Verdict
from tuneproof.records.data import Message
from tuneproof.report import render_report
from tuneproof.rundir import RunDir
from tuneproof.web import Settings, build_app
from tuneproof.web.routes.report import FORMULA_SIGNS, write_csv


@pytest.fixture
def client(own_run: RunDir) -> Iterator[TestClient]:
    app = build_app(Settings(own_run.path.parent))
    with TestClient(app, base_url="http://127.0.0.1:8321", headers={"accept-language": "en"}) as opened:
        yield opened


def test_a_mark_is_kept_and_taken_back(client: TestClient, own_run: RunDir) -> None:
    verdict = (own_run.path / "verdict.json").read_bytes()
    told = client.post("/runs/mine/marks", json={"item": "row-3", "wrong": True}).json()["html"]
    assert "1 references are marked" in told
    assert "39 other items" in told
    assert own_run.load(Marks).ids == {"row-3"}
    client.post("/runs/mine/marks", json={"item": "row-3", "wrong": True})
    assert len(own_run.load(Marks).wrong_references) == 1
    client.post("/runs/mine/marks", json={"item": "row-3", "wrong": False})
    assert own_run.load(Marks).ids == set()
    assert (own_run.path / "verdict.json").read_bytes() == verdict, "a verdict is what was measured"


def test_the_scores_beside_a_mark_are_those_of_the_other_items(client: TestClient, own_run: RunDir) -> None:
    for arm in ("base", "tuned"):
        own_run.save_answers(arm, "test", [make_answer(n, arm, ("invoice", "policy")[n % 2]) for n in range(4)])
    told = client.post("/runs/mine/marks", json={"item": "row-0", "wrong": True}).json()["html"]
    # Tuned: 3 is wrong of 1, 3 (policy) and 2 (invoice); the mean over the two tasks is (0.625 + 1) / 2.
    assert "the tuned model 81.2 %" in told.replace("\u00a0", " ")


@pytest.mark.parametrize("item", ["row-99", "", "../row-3", "probe-1"])
def test_only_a_test_item_can_be_marked(client: TestClient, own_run: RunDir, item: str) -> None:
    assert client.post("/runs/mine/marks", json={"item": item, "wrong": True}).status_code == 404
    assert not own_run.has(Marks)


@pytest.mark.parametrize("item", ["row-99", "--help", "lost", ""])
def test_only_an_answer_of_the_run_can_be_blamed(client: TestClient, item: str) -> None:
    assert client.post("/runs/mine/blame", json={"item": item}).status_code == 404


def test_damaged_marks_hide_no_report(client: TestClient, own_run: RunDir) -> None:
    (own_run.path / "marks.json").write_text("{", encoding="utf-8")
    assert client.get("/runs/mine").status_code == 200


def test_a_damaged_record_is_named(client: TestClient, own_run: RunDir) -> None:
    (own_run.path / "plan.json").write_text("{", encoding="utf-8")
    answer = client.get("/runs/mine", headers={"accept": "text/html"})
    assert answer.status_code == 409
    assert "plan.json" in answer.text


def test_the_table_has_every_answer_with_place_and_mark(client: TestClient, own_run: RunDir) -> None:
    said = [Message(role="user", content="?"), Message(role="assistant", content="!")]
    own_run.save_rows("test", [Row(id="row-3", file="rows.jsonl", line=17, task="reply", messages=said)])
    client.post("/runs/mine/marks", json={"item": "row-3", "wrong": True})
    answer = client.get("/runs/mine/answers.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 40
    (marked,) = [row for row in rows if row["wrong_reference"] == "1"]
    assert (marked["id"], marked["file"], marked["line"]) == ("row-3", "rows.jsonl", "17")
    assert {row["outcome"] for row in rows} == {"improved", "regressed", "unchanged"}


@pytest.mark.parametrize("sign", FORMULA_SIGNS)
def test_no_cell_is_a_formula(sign: str) -> None:
    text = write_csv([(f"{sign}cmd|' /C calc'!A0", 1.5, -2)]).removeprefix("\ufeff")
    ((cell, *numbers),) = csv.reader(io.StringIO(text, newline=""))
    assert cell.startswith("'")
    assert numbers == ["1.5", "-2"]


def test_the_report_as_a_file_is_the_report(client: TestClient, own_run: RunDir) -> None:
    answer = client.get("/runs/mine/report.html")
    assert answer.text == render_report(own_run, "en")
    assert 'filename="report.html"' in answer.headers["content-disposition"]


def test_the_app_shows_the_reports_own_sections(client: TestClient, own_run: RunDir) -> None:
    page, report = client.get("/runs/mine").text, render_report(own_run, "en")
    assert page.partition('<section class="column verdict')[2].partition("</main>")[0].strip().removesuffix(
        "</div>"
    ).strip() == (report.partition('<section class="column verdict')[2].partition("</main>")[0].strip())
    assert own_run.load(Verdict).summary["en"].split("<")[0] in page
