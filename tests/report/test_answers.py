"""Answers are paired by item, ordered by what changed, and marked against the nearer text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuneproof.records import Answer
from tuneproof.report.answers import compare_answers, pair_answers


def say(answer: str, *, name: str = "1", reference: str = "Total: 12.50 EUR", score: float = 0.0) -> Answer:
    return Answer(
        id=name, task="invoice", scorer="exact", prompt="?", reference=reference, answer=answer, score=score,
        right=score == 1, tokens=3, finish="end",
    )  # fmt: skip


def test_the_largest_loss_comes_first_then_the_largest_gain() -> None:
    scores = {"a": (0.0, 0.5), "b": (1.0, 1.0), "c": (1.0, 0.0), "d": (0.0, 1.0), "e": (1.0, 0.5)}
    base = [say("x", name=name, score=before) for name, (before, _) in scores.items()]
    tuned = [say("x", name=name, score=after) for name, (_, after) in reversed(scores.items())]
    items = pair_answers(base, tuned)
    assert [item.base.id for item in items] == ["c", "e", "d", "a", "b"]
    assert [item.outcome for item in items] == ["regressed", "regressed", "improved", "improved", "unchanged"]
    assert all(item.base.id == item.tuned.id for item in items)


def test_items_that_only_one_arm_answered_are_left_out() -> None:
    assert [item.base.id for item in pair_answers([say("x"), say("x", name="2")], [say("x")])] == ["1"]


def test_the_nearer_text_is_compared() -> None:
    near_reference = compare_answers(say("I can help you with that!"), say("Total: 13.50 EUR"))
    assert near_reference.against == "reference"
    assert [part.text for part in near_reference.reference if part.kind == "removed"] == ["12.50"]
    assert [part.text for part in near_reference.tuned if part.kind == "added"] == ["13.50"]
    near_base = compare_answers(say("I can help you with that!"), say("I can help you with this!"))
    assert near_base.against == "base"
    assert [part.text for part in near_base.base if part.kind == "removed"] == ["that"]


def test_texts_with_little_in_common_carry_no_marks() -> None:
    comparison = compare_answers(say("I can help you with that!"), say("完全不同的一句话"))
    assert comparison.against == "neither"
    assert not comparison.differs


def test_the_right_answer_carries_no_marks() -> None:
    comparison = compare_answers(say("no idea"), say("Total: 12.50 EUR"))
    assert comparison.against == "reference"
    assert not comparison.differs


@given(st.text(), st.text(), st.text())
def test_no_side_of_a_comparison_loses_text(reference: str, base: str, tuned: str) -> None:
    comparison = compare_answers(say(base, reference=reference), say(tuned, reference=reference))
    assert "".join(part.text for part in comparison.reference) == reference
    assert "".join(part.text for part in comparison.base) == base
    assert "".join(part.text for part in comparison.tuned) == tuned
