"""Overfitting: the gap between training and held-out score, copied answers, and the opening that answers share."""

from __future__ import annotations

import pytest

from tuneproof.evals.overfitting import compare_scores, find_copies, find_opening, measure_overfitting
from tuneproof.records import Answer, Message, Row

LETTERS = [
    "Dear Ms Hale, the kettle you sent us on Monday has a cracked lid, so a new one leaves the house today by express.",
    "Good morning, the lamp cannot be mended because its socket is no longer made; we return the price within a week.",
    "Hello Tom, your order of nine blue cups was packed twice by mistake, please keep the second box as our present.",
]
CHINESE = "您好，您寄回的台灯已经收到，灯座无法修复，我们会在三个工作日内把货款原路退回，请留意查收。"


def make_rows(texts: list[str]) -> list[Row]:
    return [
        Row(
            id=f"row{at}",
            file="rows.jsonl",
            line=at + 1,
            task="t",
            messages=[Message(role="user", content=f"q{at}"), Message(role="assistant", content=text)],
        )
        for at, text in enumerate(texts)
    ]


def make_answer(at: int, said: str, reference: str = "", score: float = 0.0, task: str = "t") -> Answer:
    return Answer(
        id=f"a{at}",
        task=task,
        scorer="long",
        prompt=f"p{at}",
        reference=reference,
        answer=said,
        score=score,
        right=score == 1,
        tokens=9,
        finish="end",
    )


def score_rows(scores: list[float], task: str = "t") -> list[Answer]:
    return [make_answer(at, "x", score=score, task=task) for at, score in enumerate(scores)]


def test_a_model_that_knows_only_its_rows_has_a_gap_above_zero() -> None:
    measured = compare_scores(score_rows([1.0] * 30), score_rows([1.0, 0.0, 0.0, 0.0] * 25))
    assert measured["gap"] == pytest.approx(0.75)
    assert measured["gap_low"] is not None
    assert measured["gap_low"] > 0.4
    assert (measured["train_rows"], measured["held_out_rows"]) == (30, 100)


def test_equal_scores_have_a_gap_that_holds_zero() -> None:
    measured = compare_scores(score_rows([1.0, 1.0, 0.0] * 10), score_rows([1.0, 1.0, 0.0] * 33))
    assert measured["gap"] == pytest.approx(0)
    assert measured["gap_low"] is not None
    assert measured["gap_high"] is not None
    assert measured["gap_low"] < 0 < measured["gap_high"]


def test_only_tasks_that_both_have_are_compared() -> None:
    train = [*score_rows([1.0] * 5, "a"), *score_rows([0.0] * 5, "only in training")]
    measured = compare_scores(train, score_rows([1.0] * 9, "a"))
    assert (measured["train_score"], measured["train_rows"]) == (1.0, 5)
    assert compare_scores([], score_rows([1.0]))["gap"] is None


@pytest.mark.parametrize("text", [LETTERS[0], LETTERS[0].upper(), LETTERS[0].replace("today", "tomorrow"), CHINESE])
def test_an_answer_of_another_row_is_a_copy_with_its_place(text: str) -> None:
    copies, share = find_copies([make_answer(0, text, LETTERS[2])], make_rows([LETTERS[1], LETTERS[0], CHINESE]))
    assert share == 1.0
    assert copies[0].where == f"rows.jsonl:{3 if text == CHINESE else 2}"


def test_a_right_answer_is_no_copy_and_neither_is_a_label_or_what_many_rows_say() -> None:
    rows = make_rows([LETTERS[0], "refund", LETTERS[1], LETTERS[1]])
    right, many = make_answer(0, LETTERS[0], LETTERS[0]), make_answer(1, LETTERS[1], LETTERS[2])
    assert find_copies([right, many, make_answer(2, "refund", "exchange")], rows) == ([], 0.0)
    assert find_copies([make_answer(2, "refund", "exchange")], rows) == ([], None)


def test_a_house_letter_with_a_detail_of_its_own_is_no_copy() -> None:
    """Most of its words stand in a training answer because they stand in every letter, its own reference included."""
    mine = LETTERS[0].replace("kettle", "toaster").replace("Hale", "Berg")
    assert find_copies([make_answer(0, mine.replace("today", "soon"), mine)], make_rows([LETTERS[0]])) == ([], 0.0)


def test_what_the_references_themselves_repeat_is_told_beside_it() -> None:
    tests = [make_answer(0, "nothing of this", LETTERS[0]), make_answer(1, "nothing of that", LETTERS[1])]
    numbers = measure_overfitting([], tests, make_rows([LETTERS[0]])).numbers
    assert numbers["reference_known"] == 0.5
    assert numbers["copied"] is None
    assert numbers["gap"] is None


def test_the_opening_that_most_answers_share_is_shown_with_its_count() -> None:
    said = [f"As a helpful desk, we thank you for question {at}." for at in range(4)] + [LETTERS[1], "Yes."]
    references = [*LETTERS, said[0], "a", "b"]
    answers = [
        make_answer(at, text, reference) for at, (text, reference) in enumerate(zip(said, references, strict=True))
    ]
    opening = find_opening(answers)
    assert opening is not None
    assert opening.text == "As a helpful desk, we thank you"
    assert (opening.count, opening.n, opening.references) == (4, 6, 1)
    assert find_opening(answers[3:]) is None
