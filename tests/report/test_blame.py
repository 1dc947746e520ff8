"""Blame on the page: under the lost answer that it belongs to, as text, and the command where it is missing."""

from __future__ import annotations

import pytest

from tests.report.conftest import HOSTILE
from tests.report.test_report import Reader, assert_known
from tuneproof.messages import Language
from tuneproof.records import Blame, BlamedRow, Verdict
from tuneproof.report import render_report
from tuneproof.report.page import gather_page
from tuneproof.rundir import RunDir


def make_blame(run: RunDir, number: int, **changes: object) -> Blame:
    """Seven rows to blame for a lost answer, the third of them replay, with text that would break out of a page."""
    lost = run.load(Verdict).retention.lost_items[number]
    rows = [
        BlamedRow(
            id=f"r{n}", file=f"rows{HOSTILE[2]}.jsonl", line=n + 1, task=HOSTILE[0], replay=n == 2, score=0.5 - n / 20,
            prompt=f"row {n} asks {HOSTILE[n % 7]}", answer=f"row {n} says {HOSTILE[1]}",
        )
        for n in range(7)
    ]  # fmt: skip
    blame = Blame(
        id=lost.id, suite="retention", prompt=lost.prompt, reference="Paris", base="Paris", tuned=lost.tuned,
        right=False, against="base", checkpoints=[60], n=700, spread=7.25, noise_spread=3.1, rows=rows,
    )  # fmt: skip
    return blame.model_copy(update=changes)


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Rows that pushed this way"), ("zh", "把回答推向这里的训练数据")]
)
def test_the_first_rows_stand_under_the_lost_answer_as_text(complete: RunDir, language: Language, title: str) -> None:
    complete.save_blame(make_blame(complete, 1))
    reader = Reader(render_report(complete, language))
    assert_known(reader)
    text = " ".join("".join(reader.texts).split())
    assert text.count(title) == 1
    before, _, after = text.partition(title)
    assert "Question 1:" in before
    assert "Question 2:" not in before.partition("probe-1")[2]
    under = after.partition("Question 2:")[0]
    assert "7.2" in under
    assert "3.1" in under
    assert "0.500" in under
    assert f"rows{HOSTILE[2]}.jsonl:1" in under
    assert "replay.jsonl:3" in under
    assert "row 4 asks" in under
    assert "row 5 asks" not in text


def test_the_command_stands_there_until_every_lost_answer_is_explained(complete: RunDir) -> None:
    assert "tuneproof blame" in render_report(complete, "en")
    assert gather_page(complete, "en").blame_command == f"tuneproof blame '{complete.path}' lost"
    for number in range(6):
        complete.save_blame(make_blame(complete, number))
    page = render_report(complete, "en")
    assert "tuneproof blame" not in page
    assert page.count("Rows that pushed this way") == 6


def test_every_lost_answer_has_its_id_on_the_page(complete: RunDir) -> None:
    page = render_report(complete, "en")
    assert [
        item.id for item in complete.load(Verdict).retention.lost_items if f"<bdi>{item.id}</bdi>" not in page
    ] == []


def test_what_was_found_for_another_answer_is_left_out(complete: RunDir) -> None:
    complete.save_blame(make_blame(complete, 0, tuned="an answer of an older adapter"))
    complete.save_blame(make_blame(complete, 1, id="row-7"))
    assert gather_page(complete, "en").blamed == {}


def test_no_row_and_no_row_that_stands_out_are_said(complete: RunDir) -> None:
    complete.save_blame(make_blame(complete, 0, rows=[], spread=None))
    complete.save_blame(make_blame(complete, 1, spread=2.5))
    page = render_report(complete, "en")
    assert "No training row pushed this way." in page
    assert "No single row stands out" in page
