"""The judge model's votes: blind, in both orders, in the row's language, and counted so that a place wins nothing."""

from __future__ import annotations

import re
from typing import Literal

import pytest

from tuneproof.evals.judge import count_votes, list_ballots, read_choice
from tuneproof.records import Answer, Vote

Choice = Literal["base", "tuned", "tie", "unclear"]


def make_answers(arm: str, count: int = 4, prompt: str = "How long may I keep the lamp?") -> list[Answer]:
    return [
        Answer(
            id=f"row{at}",
            task=f"t{at % 2}",
            scorer="long",
            prompt=prompt,
            reference="Two weeks {at} most",
            answer=f"{arm} says {at}",
            score=0,
            right=False,
            tokens=3,
            finish="end",
        )
        for at in range(count)
    ]


def vote(row: int, choices: tuple[Choice, Choice]) -> list[Vote]:
    return [
        Vote(id=f"row{row}", first="base", choice=choices[0], said=""),
        Vote(id=f"row{row}", first="tuned", choice=choices[1], said=""),
    ]


def test_each_pair_is_shown_in_both_orders_and_never_by_name() -> None:
    ballots = list_ballots(make_answers("base", 1), make_answers("tuned", 1), [])
    assert [ballot.first for ballot in ballots] == ["base", "tuned"]
    first, second = (ballot.prompt for ballot in ballots)
    assert first.index("base says 0") < first.index("tuned says 0")
    assert second.index("tuned says 0") < second.index("base says 0")
    assert "Two weeks {at} most" in first  # Braces in a text are text.
    bare = {re.sub("(base|tuned) says 0", "X", prompt) for prompt in (first, second)}
    assert len(bare) == 1


def test_a_row_in_chinese_is_judged_in_chinese() -> None:
    chinese = list_ballots(make_answers("a", 1, "这盏灯我可以试用多久？"), make_answers("b", 1), [])
    english = list_ballots(make_answers("a", 1), make_answers("b", 1), [])
    assert "两个助手" in chinese[0].prompt
    assert "Two assistants" in english[0].prompt


def test_what_is_voted_on_and_what_is_equal_is_not_asked() -> None:
    base, tuned = make_answers("base"), make_answers("tuned")
    tuned[3] = tuned[3].model_copy(update={"answer": base[3].answer})
    asked = [(ballot.id, ballot.first) for ballot in list_ballots(base, tuned, vote(0, ("tie", "tie"))[:1])]
    assert asked == [("row0", "tuned"), *((f"row{at}", first) for at in (1, 2) for first in ("base", "tuned"))]


@pytest.mark.parametrize(
    ("reply", "first", "choice"),
    [
        ("[[A]]", "base", "base"),
        ("[[A]]", "tuned", "tuned"),
        ("[[B]]", "base", "tuned"),
        ("First [[A]] seemed better, but: [[B]].", "tuned", "base"),
        ("[[T]]", "base", "tie"),
        (" B. ", "base", "tuned"),
        ("Both are fine.", "base", "unclear"),
        ("", "tuned", "unclear"),
    ],
)
def test_a_reply_names_a_place_and_the_place_an_arm(
    reply: str, first: Literal["base", "tuned"], choice: Choice
) -> None:
    assert read_choice(reply, first) == choice


def test_only_a_preference_in_both_orders_wins() -> None:
    votes = [
        *vote(0, ("tuned", "tuned")),
        *vote(1, ("base", "base")),
        *vote(2, ("base", "tuned")),
        *vote(3, ("unclear", "tuned")),
    ]
    record = count_votes(votes, make_answers("base"), make_answers("tuned"))
    counts = record.wins, record.losses, record.ties, record.inconsistent, record.unclear
    assert counts == (1, 1, 1, 1, 1)
    assert record.n == 4
    assert record.wins + record.losses + record.ties + record.unclear == record.n


def test_a_judge_that_always_takes_the_first_answer_gives_neither_arm_anything() -> None:
    votes = [one for at in range(40) for one in vote(at, ("base", "tuned"))]
    record = count_votes(votes, make_answers("base", 40), make_answers("tuned", 40))
    assert (record.wins, record.losses, record.inconsistent, record.net, record.p_value) == (0, 0, 40, 0.0, None)
    assert record.ci95 is not None
    assert record.ci95[0] < 0 < record.ci95[1]


def test_a_clear_preference_has_its_interval_above_zero_and_half_voted_rows_do_not_count() -> None:
    votes = [one for at in range(40) for one in vote(at, ("tuned", "tuned"))][:-1]
    record = count_votes(votes, make_answers("base", 40), make_answers("tuned", 40))
    assert (record.n, record.wins) == (39, 39)
    assert record.ci95 is not None
    assert record.ci95[0] > 0.5
    assert record.p_value is not None
    assert record.p_value < 1e-6
    assert count_votes([], make_answers("base"), make_answers("tuned")).net is None
