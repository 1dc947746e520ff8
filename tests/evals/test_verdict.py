"""The verdict rule, reason by reason, on answers whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneproof.config import EvaluateSection
from tuneproof.evals.verdict import Evidence, judge_run
from tuneproof.messages import tell
from tuneproof.records import Answer, Selection, Verdict

CHOSEN = Selection(checkpoint=40, scale=1.0, reason="select.best", candidates=[])


def make_answers(rights: Sequence[bool], arm: str, suite: str = "t") -> list[Answer]:
    """One answer an item: the reference where right, another word where not."""
    return [
        Answer(
            id=f"{suite}{at}",
            task=f"{suite}{at % 2}",
            scorer="short",
            prompt=f"question {at}",
            reference=f"word{at} of reference",
            answer=f"word{at} of reference" if right else f"{arm}{at} said otherwise",
            score=float(right),
            right=right,
            tokens=4,
            finish="end",
            language="en",
        )
        for at, right in enumerate(rights)
    ]


def judge(
    base: Sequence[bool],
    tuned: Sequence[bool],
    *,
    probes: tuple[Sequence[bool], Sequence[bool]] | None = None,
    few_shot: Sequence[bool] = (),
    permuted: float = 0.0,
) -> Verdict:
    before, after = probes or ([True] * 150 + [False] * 50, [True] * 150 + [False] * 50)
    evidence = Evidence(
        base_test=make_answers(base, "base"),
        tuned_test=make_answers(tuned, "tuned"),
        base_probes=make_answers(before, "base", "p"),
        tuned_probes=make_answers(after, "tuned", "p"),
        few_shot=make_answers(few_shot, "shown"),
        frequent=[0.0] * len(base),
        permuted=[permuted] * len(base),
    )
    return judge_run(evidence, thresholds=EvaluateSection(), selection=CHOSEN, seed=17, seconds={})


def test_a_real_gain_with_nothing_lost_ships() -> None:
    verdict = judge([False] * 100 + [True] * 20, [True] * 100 + [True] * 20)
    assert verdict.decision == "ship"
    assert verdict.reasons == ["gain_real", "beats_control", "loss_small"]
    assert verdict.task.delta == pytest.approx(100 / 120)
    assert (verdict.task.better, verdict.task.worse, verdict.task.same) == (100, 0, 20)
    assert verdict.rows_needed is None


def test_counts_add_up() -> None:
    verdict = judge([True, False] * 60, [True, True, False, False] * 30)
    task = verdict.task
    assert task.better + task.worse + task.same == task.n == 120
    assert sum(part.n for part in verdict.tasks) == task.n
    retention = verdict.retention
    assert sum(cell["n"] for cell in retention.by_family.values()) == retention.n == 200
    assert len(retention.lost_items) == retention.lost


def test_a_family_that_the_base_cannot_answer_is_left_out() -> None:
    """Every second probe is of family 0, of which the base has 9 of 100 right; 5 of those are lost."""
    before = [at % 2 == 1 or at < 18 for at in range(200)]
    after = [at % 2 == 1 or 10 <= at < 18 for at in range(200)]
    retention = judge([False] * 10, [True] * 10, probes=(before, after)).retention
    assert (retention.n, retention.base_right, retention.lost) == (100, 100, 0)
    assert {name: cell["base_right"] for name, cell in retention.left_out.items()} == {"p0 (en)": 9}


def test_a_base_that_can_answer_nothing_has_nothing_said_of_what_it_forgot() -> None:
    verdict = judge([False] * 120, [True] * 120, probes=([False] * 40, [False] * 40))
    assert (verdict.decision, verdict.retention.n) == ("not_enough_evidence", 0)
    assert "the base answers too few to say what was forgotten" in verdict.summary["en"]
    assert "通用题中基座能答对的太少" in verdict.summary["zh"]


def test_an_unclear_lead_asks_for_the_rows_that_the_lead_needs() -> None:
    """The gain over the base is plain, so its own number would be far too small."""
    tuned, shown = [True] * 60 + [False] * 60, [True] * 28 + [False] * 32 + [True] * 28 + [False] * 32
    verdict = judge([False] * 120, tuned, few_shot=shown)
    assert {"gain_real", "control_unclear"} <= set(verdict.reasons)
    assert verdict.open_on_test
    assert verdict.task.control is not None
    assert verdict.task.control.n == 120
    assert verdict.rows_needed == verdict.task.control.rows_needed
    assert (verdict.rows_needed or 0) > 1_000


def test_a_worse_model_does_not_ship() -> None:
    verdict = judge([True] * 60 + [False] * 60, [True] * 20 + [False] * 100)
    assert verdict.decision == "dont_ship"
    assert "worse_than_base" in verdict.reasons


def test_an_unclear_gain_asks_for_a_number_of_rows() -> None:
    verdict = judge([True] * 50 + [False] * 70, [True] * 46 + [False] * 68 + [True] * 6)
    assert verdict.decision == "not_enough_evidence"
    assert "gain_unclear" in verdict.reasons
    assert verdict.rows_needed is not None
    assert verdict.rows_needed > 120


def test_a_model_that_learnt_only_the_form_never_ships() -> None:
    """It beats a base at zero, but its answers fit other questions as well."""
    tuned = [True] * 14 + [False] * 106
    verdict = judge([False] * 120, tuned, permuted=0.11)
    assert verdict.reasons[0] == "gain_real"
    assert verdict.decision != "ship"
    assert verdict.task.control is not None
    assert verdict.task.control.kind == "permuted"


def test_a_prompt_that_does_better_is_reason_not_to_ship() -> None:
    verdict = judge([False] * 120, [True] * 40 + [False] * 80, few_shot=[True] * 100 + [False] * 20)
    assert verdict.decision == "dont_ship"
    assert "not_beats_control" in verdict.reasons
    assert verdict.task.control is not None
    assert verdict.task.control.kind == "few_shot"


def test_significant_loss_of_answers_does_not_ship() -> None:
    before, after = [True] * 150 + [False] * 50, [False] * 20 + [True] * 130 + [False] * 50
    verdict = judge([False] * 120, [True] * 120, probes=(before, after))
    assert verdict.decision == "dont_ship"
    assert "loss_significant" in verdict.reasons
    assert len(verdict.retention.lost_items) == 20


def test_a_loss_above_three_points_does_not_ship_even_when_not_significant() -> None:
    before = [True] * 150 + [False] * 50
    after = [False] * 25 + [True] * 125 + [True] * 17 + [False] * 33
    verdict = judge([False] * 120, [True] * 120, probes=(before, after))
    assert verdict.retention.p_value is not None
    assert verdict.retention.p_value > 0.05
    assert verdict.decision == "dont_ship"
    assert "loss_large" in verdict.reasons


def test_no_claim_about_forgetting_below_a_hundred_base_right_probes() -> None:
    probes = ([True] * 60 + [False] * 140, [True] * 60 + [False] * 140)
    verdict = judge([False] * 120, [True] * 120, probes=probes)
    assert verdict.decision == "not_enough_evidence"
    assert "too_few_base_right" in verdict.reasons


def test_the_probes_that_are_needed_are_those_of_which_the_base_has_enough_right() -> None:
    """637 of which it has 85 right: so many answers flip that 548 would do, if 100 of them were right."""
    flips = [False] * 20 + [True] * 65 + [True] * 20 + [False] * 532
    verdict = judge([False] * 120, [True] * 120, probes=([True] * 85 + [False] * 552, flips))
    assert verdict.reasons[-1] == "too_few_base_right"
    assert verdict.rows_needed == 750


def test_degenerate_answers_do_not_ship() -> None:
    evidence_ok = judge([False] * 120, [True] * 120)
    assert evidence_ok.degeneration_failed == []
    looping = make_answers([True] * 120, "tuned")
    for answer in looping:
        answer.answer = "the same words again and again " * 6
        answer.finish = "length"
    evidence = Evidence(
        make_answers([False] * 120, "base"),
        looping,
        make_answers([True] * 200, "base", "p"),
        make_answers([True] * 200, "tuned", "p"),
        [],
        [0.0] * 120,
        [0.0] * 120,
    )
    verdict = judge_run(evidence, thresholds=EvaluateSection(), selection=CHOSEN, seed=1, seconds={})
    assert verdict.decision == "dont_ship"
    assert "degenerate" in verdict.reasons
    assert verdict.degeneration_failed


def test_without_a_test_split_nothing_is_claimed() -> None:
    verdict = judge([], [])
    assert verdict.decision == "not_enough_evidence"
    assert "no_test" in verdict.reasons
    assert verdict.task.base is None
    assert verdict.task.control is None
    assert verdict.rows_needed


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    verdict = judge([False] * 60, [True] * 60)
    assert "test_small" in verdict.reasons
    for reason in verdict.reasons:
        assert tell(f"verdict.reason.{reason}", "en") != tell(f"verdict.reason.{reason}", "zh")
    assert "60" in verdict.summary["en"]
    assert "60" in verdict.summary["zh"]


def test_without_a_test_split_nothing_is_decided_whatever_was_forgotten() -> None:
    verdict = judge([], [], probes=([True] * 150, [True] * 120 + [False] * 30))
    assert (verdict.decision, verdict.rows_needed) == ("not_enough_evidence", 100)
    assert verdict.reasons == ["no_test", "loss_significant"]
