"""The choice: earliest and weakest within one standard error, gates before scores, loss without a vote."""

from __future__ import annotations

from tests.evals.test_verdict import make_answers
from tuneproof.evals.select import Slice, choose_candidate
from tuneproof.records import Answer, Selection

BASE = make_answers([False] * 60, "base")
UNASKED = Slice([], lambda step, scale: [], 0.03)


def answers_with(right: int) -> list[Answer]:
    return make_answers([True] * right + [False] * (60 - right), "tuned")


def test_the_earliest_checkpoint_within_one_error_is_chosen() -> None:
    scores = {20: 30, 40: 49, 60: 50}
    chosen = choose_candidate([20, 40, 60], [1.0], lambda step, scale: answers_with(scores[step]), BASE, {}, UNASKED)
    assert (chosen.checkpoint, chosen.scale, chosen.reason) == (40, 1.0, "select.within_error")
    assert [candidate.checkpoint for candidate in chosen.candidates] == [20, 40, 60]


def test_the_smallest_scale_that_costs_nothing_is_chosen() -> None:
    scores = {1.0: 50, 0.75: 50, 0.5: 20}
    asked: list[tuple[int, float]] = []

    def answer(step: int, scale: float) -> list[Answer]:
        asked.append((step, scale))
        return answers_with(scores[scale] if step == 40 else 10)

    chosen = choose_candidate([20, 40], [1.0, 0.75, 0.5], answer, BASE, {20: 1.0, 40: 2.0}, UNASKED)
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

    chosen = choose_candidate([20, 40], [1.0], answer, BASE, {}, UNASKED)
    assert chosen.checkpoint == 40
    assert chosen.candidates[0].degeneration
    assert not chosen.candidates[1].degeneration


def choose_by_probes(lost: dict[float, int]) -> Selection:
    """Scales with equal scores from 0.5 on, and so many of 40 base-right probes lost at each."""
    scores = {1.0: 50, 0.75: 50, 0.5: 44, 0.25: 20}
    base = make_answers([True] * 40 + [False] * 20, "base")

    def answer_probes(step: int, scale: float) -> list[Answer]:
        return make_answers([True] * (40 - lost[scale]) + [False] * (20 + lost[scale]), "tuned")

    probes = Slice(base, answer_probes, 0.03)
    return choose_candidate([20], sorted(lost), lambda step, scale: answers_with(scores[scale]), BASE, {}, probes)


def test_what_forgets_too_much_is_passed_over() -> None:
    chosen = choose_by_probes({1.0: 12, 0.75: 6, 0.5: 1, 0.25: 0})
    assert (chosen.scale, chosen.reason) == (0.5, "select.passes")
    assert {one.scale: (one.lost, one.retention) for one in chosen.candidates} == {
        1.0: (12, 0.7),
        0.75: (6, 0.85),
        0.5: (1, 0.975),
        0.25: (0, 1.0),
    }


def test_where_all_forget_too_much_the_score_decides_and_it_is_said() -> None:
    chosen = choose_by_probes({1.0: 12, 0.75: 9, 0.5: 8, 0.25: 7})
    assert (chosen.scale, chosen.reason) == (0.75, "select.none_passes")


def test_checkpoints_answer_the_probes_only_where_the_scale_is_chosen() -> None:
    asked: list[tuple[int, float]] = []

    def answer_probes(step: int, scale: float) -> list[Answer]:
        asked.append((step, scale))
        return BASE

    scores = {20: 10, 40: 50}
    choose_candidate(
        [20, 40], [1.0, 0.5], lambda step, scale: answers_with(scores[step]), BASE, {}, Slice(BASE, answer_probes, 0.03)
    )
    assert asked == [(40, 0.5), (40, 1.0)]
