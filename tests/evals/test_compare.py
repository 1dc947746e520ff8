"""Two runs on shared items: what is paired, what is left out, the differences, and Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneproof.evals.compare import Arm, adjust_holm, compare_arms, correct_runs, pair_answers
from tuneproof.records import Answer, RunComparison
from tuneproof.statistics import compare_paired


def make_answers(scores: Sequence[float], **changed: object) -> list[Answer]:
    """An answer an item: two tasks of unequal size, three rows a duplicate cluster."""
    return [
        Answer(
            id=f"row-{at}",
            task="small" if at % 5 == 0 else "large",
            scorer="exact",
            prompt=f"question {at}",
            reference=f"answer {at}",
            answer="said",
            score=score,
            right=score == 1,
            tokens=3,
            finish="end",
            cluster=f"cluster-{at // 3}",
        ).model_copy(update=changed)
        for at, score in enumerate(scores)
    ]


def compare(first: Sequence[float], other: Sequence[float]) -> RunComparison:
    """Both suites of two runs with these scores."""
    before, after = make_answers(first), make_answers(other)
    return RunComparison(run="b", model=None, tuned=compare_arms(Arm(before, before), Arm(after, after)), base=None)


def test_items_are_paired_by_id_whatever_their_order() -> None:
    first = make_answers([0.0, 1.0, 0.5])
    pairing = pair_answers(first, list(reversed(make_answers([1.0, 0.0, 0.25]))))
    assert [(before.id, before.score, after.score) for before, after in pairing.pairs] == [
        ("row-0", 0.0, 1.0),
        ("row-1", 1.0, 0.0),
        ("row-2", 0.5, 0.25),
    ]
    assert pairing.left_out == {}


@pytest.mark.parametrize(
    ("field", "reason"), [("prompt", "changed"), ("reference", "changed"), ("scorer", "scorer"), ("answer", None)]
)
def test_an_item_that_is_not_the_same_in_both_is_left_out_with_its_reason(field: str, reason: str | None) -> None:
    other = make_answers([1.0, 1.0])
    setattr(other[1], field, "another")
    pairing = pair_answers(make_answers([0.0, 0.0]), other)
    assert len(pairing.pairs) == (1 if reason else 2)
    assert pairing.left_out == ({reason: 1} if reason else {})


def test_items_of_one_run_only_are_counted_on_their_side() -> None:
    assert pair_answers(make_answers([1.0] * 5), make_answers([1.0] * 2)).left_out == {"only_first": 3}
    assert pair_answers(make_answers([1.0] * 2), make_answers([1.0] * 5)).left_out == {"only_other": 3}


def test_scores_are_averaged_by_task_and_their_difference_is_paired_and_clustered() -> None:
    first, other = (
        [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0],
        [1.0, 1.0, 0.5, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0],
    )
    test = compare(first, other).tuned.test
    small, large = [0, 5], [1, 2, 3, 4, 6, 7, 8, 9]
    for told, scores in ((test.first, first), (test.other, other)):
        parts = [sum(scores[at] for at in side) / len(side) for side in (small, large)]
        # Tasks of fewer than ten rows count by their rows.
        assert told == pytest.approx((2 * parts[0] + 8 * parts[1]) / 10)
    assert test.first is not None
    assert test.other is not None
    assert test.delta == pytest.approx(test.other - test.first)
    assert (test.n, test.better, test.worse, test.same) == (10, 4, 1, 5)
    deltas = [after - before for before, after in zip(first, other, strict=True)]
    groups = ["small" if at in small else "large" for at in range(10)]
    clustered = compare_paired(deltas, groups=groups, clusters=[str(at // 3) for at in range(10)])
    assert clustered is not None
    assert (test.ci95, test.p_value) == (clustered.interval, clustered.p_value)
    alone = compare_paired(deltas, groups=groups)
    assert alone is not None
    assert alone.interval != test.ci95


def test_lost_and_gained_are_those_of_the_other_run() -> None:
    retention = compare([1.0] * 12 + [0.0] * 8, [0.0] * 7 + [1.0] * 5 + [1.0] + [0.0] * 7).tuned.retention
    assert (retention.n, retention.first_right, retention.other_right) == (20, 12, 6)
    assert (retention.lost, retention.gained) == (7, 1)
    assert retention.net_loss == pytest.approx(6 / 20)
    assert retention.p_value == pytest.approx(2 * 9 / 2**8)
    assert retention.loss_upper95 is not None
    assert retention.loss_upper95 > 6 / 20


def test_what_nobody_answered_is_not_measured() -> None:
    nothing = compare([], []).tuned
    assert (nothing.test.n, nothing.test.first, nothing.test.delta, nothing.test.ci95) == (0, None, None, None)
    assert (nothing.retention.net_loss, nothing.retention.loss_upper95, nothing.retention.p_value) == (None, None, None)


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # Worked by hand: 3 x .01; 2 x .03; .04 is raised to that.
        ([0.6, 0.5], [1.0, 1.0]),
        ([0.01, None], [0.02, None]),
        ([], []),
    ],
)
def test_holm_steps_down(given: list[float | None], adjusted: list[float | None]) -> None:
    assert adjust_holm(given) == pytest.approx(adjusted)


def test_every_question_is_a_family_of_its_own() -> None:
    worse, equal = compare([1.0] * 12, [0.0] * 12), compare([1.0] * 12, [1.0] * 12)
    correct_runs([worse, equal])
    for p_value, p_adjusted in (
        (worse.tuned.test.p_value, worse.tuned.test.p_adjusted),
        (worse.tuned.retention.p_value, worse.tuned.retention.p_adjusted),
    ):
        assert p_value is not None
        assert p_adjusted == pytest.approx(2 * p_value)
    assert equal.tuned.retention.p_adjusted is None
    correct_runs([worse])
    assert worse.tuned.test.p_adjusted == worse.tuned.test.p_value
