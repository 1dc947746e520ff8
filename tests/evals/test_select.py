"""The choice: earliest and weakest within one standard error, gates before scores, loss without a vote."""

from __future__ import annotations

from tests.evals.test_verdict import make_answers
from tuneproof.evals.select import choose_candidate
from tuneproof.records import Answer

BASE = make_answers([False] * 60, "base")


def answers_with(right: int) -> list[Answer]:
    return make_answers([True] * right + [False] * (60 - right), "tuned")


def test_the_earliest_checkpoint_within_one_error_is_chosen() -> None:
    scores = {20: 30, 40: 49, 60: 50}
    chosen = choose_candidate([20, 40, 60], [1.0], lambda step, scale: answers_with(scores[step]), BASE, {})
    assert (chosen.checkpoint, chosen.scale, chosen.reason) == (40, 1.0, "select.within_error")
    assert [candidate.checkpoint for candidate in chosen.candidates] == [20, 40, 60]


def test_the_smallest_scale_that_costs_nothing_is_chosen() -> None:
    scores = {1.0: 50, 0.75: 50, 0.5: 20}
    asked: list[tuple[int, float]] = []

    def answer(step: int, scale: float) -> list[Answer]:
        asked.append((step, scale))
        return answers_with(scores[scale] if step == 40 else 10)

    chosen = choose_candidate([20, 40], [1.0, 0.75, 0.5], answer, BASE, {20: 1.0, 40: 2.0})
    assert (chosen.checkpoint, chosen.scale) == (40, 0.75)
    assert asked == [(20, 1.0), (40, 1.0), (40, 0.5), (40, 0.75)]
    assert {candidate.train_loss for candidate in chosen.candidates} == {1.0, 2.0}


def test_a_degenerate_candidate_is_passed_over() -> None:
    def answer(step: int, scale: float) -> list[Answer]:
        answers = answers_with(50 if step == 20 else 40)
        if step == 20:
            for one in answers[:30]:
                one.answer, one.finish = "round and round and round it goes " * 5, "length"
        return answers

    chosen = choose_candidate([20, 40], [1.0], answer, BASE, {})
    assert chosen.checkpoint == 40
    assert chosen.candidates[0].degeneration
    assert not chosen.candidates[1].degeneration
