"""The verdict: SHIP, DON'T SHIP or NOT ENOUGH EVIDENCE, by the rule of docs/contract.md, from kept answers.

In: the answers of base and tuned to the test rows and the probes, and the control. Out: a `Verdict` with every number
that led to it and its reasons as keys of the catalogue.

    verdict = judge_run(evidence, thresholds=config.evaluate, selection=selection, seed=17, seconds={})
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tuneproof.config import EvaluateSection
from tuneproof.evals.control import PromptCost, compare_control
from tuneproof.evals.degeneration import compare_degeneration
from tuneproof.evals.overfitting import Overfitting
from tuneproof.evals.rewording import compare_rewording
from tuneproof.evals.tally import score_answers
from tuneproof.messages import Language, tell
from tuneproof.records import Answer, Control, DriftRecord, LostItem, Retention, Selection, TaskResult, Verdict
from tuneproof.records.verdict import Decision
from tuneproof.statistics import (
    FEWEST_CLUSTERS,
    Difference,
    compare_paired,
    count_clusters,
    detectable_effect,
    mcnemar_p,
    needed_items,
    needed_items_for_loss,
    net_loss_upper,
    wilson_interval,
)

SMALL_TEST = 100
"""Test rows below which the report says that the interval is wide (docs/evidence.md, rule 17)."""

LEAST_RIGHT = 0.1
"""Share of a family's probes that the base must answer right for the family to count; decided by the base alone."""


class Evidence(NamedTuple):
    """Everything that was measured. Answers of base and tuned are in the same order, item by item."""

    base_test: Sequence[Answer]
    tuned_test: Sequence[Answer]
    base_probes: Sequence[Answer]
    tuned_probes: Sequence[Answer]
    few_shot: Sequence[Answer]
    frequent: Sequence[float]
    """Score of each test item answered with its task's most frequent training answer."""
    permuted: Sequence[float]
    """Mean score of each tuned answer against other references of its task."""
    drift: DriftRecord | None = None
    overfitting: Overfitting | None = None
    cost: PromptCost | None = None
    """Of the few-shot control's prompt."""
    reworded: Sequence[Answer] = ()
    """The tuned model's answers to some test rows in other words."""


def judge_run(
    evidence: Evidence, *, thresholds: EvaluateSection, selection: Selection, seed: int, seconds: dict[str, float]
) -> Verdict:
    """The verdict of a run."""
    level = 1 - thresholds.significance
    others = evidence.frequent, evidence.permuted, evidence.few_shot
    control = compare_control(evidence.tuned_test, *others, level=level, cost=evidence.cost)
    task, difference = _compare(evidence.base_test, evidence.tuned_test, "all", level)
    task.control = control
    names = sorted({answer.task for answer in evidence.base_test})
    tasks = [_compare(_of(evidence.base_test, name), _of(evidence.tuned_test, name), name, level)[0] for name in names]
    retention = _compare_probes(evidence.base_probes, evidence.tuned_probes, level)
    if evidence.drift is not None:
        shared = ("kl_retention", "kl_task", "text_loss_change", "risk")
        retention = retention.model_copy(update={name: getattr(evidence.drift, name) for name in shared})
    degeneration, failed = compare_degeneration(evidence.base_test, evidence.tuned_test)
    decision, reasons = decide(task, control, retention, failed, thresholds)
    if 0 < count_clusters(_clusters(evidence.base_test)) < FEWEST_CLUSTERS:
        reasons.append("few_clusters")
    return Verdict(
        decision=decision,
        summary={"en": _summarise("en", decision, task, retention), "zh": _summarise("zh", decision, task, retention)},
        reasons=reasons,
        task=task,
        tasks=tasks,
        retention=retention,
        degeneration=degeneration,
        degeneration_failed=failed,
        overfitting=evidence.overfitting.numbers if evidence.overfitting else {},
        copied_answers=evidence.overfitting.copies if evidence.overfitting else [],
        opening=evidence.overfitting.opening if evidence.overfitting else None,
        rewording=compare_rewording(evidence.tuned_test, evidence.reworded, level),
        minimum_detectable_effect=detectable_effect(task.n),
        rows_needed=_rows_needed(reasons, difference, control, retention, thresholds),
        selection={
            "checkpoint": selection.checkpoint,
            "scale": selection.scale,
            "candidates": len(selection.candidates),
        },
        thresholds={
            "net_loss": thresholds.net_loss,
            "base_right_minimum": thresholds.base_right_minimum,
            "significance": thresholds.significance,
        },
        seed=seed,
        seconds=seconds,
    )


def decide(
    task: TaskResult,
    control: Control | None,
    retention: Retention,
    failed_gates: Sequence[str],
    thresholds: EvaluateSection,
) -> tuple[Decision, list[str]]:
    """The rule: decision and reasons. Each of gain, control, retention and degeneration speaks for itself first."""
    gain = _judge_gain(task)
    lead = _judge_control(control)
    loss = _judge_loss(retention, thresholds)
    reasons = [reason for reason in (gain, lead, loss) if reason]
    if failed_gates:
        reasons.append("degenerate")
    if 0 < task.n < SMALL_TEST:
        reasons.append("test_small")
    if gain == "no_test":
        # Too few rows for a test split: nothing is decided, whatever the probes say (docs/contract.md).
        return "not_enough_evidence", reasons
    if {"worse_than_base", "not_beats_control", "loss_significant", "loss_large", "degenerate"} & set(reasons):
        return "dont_ship", reasons
    if gain == "gain_real" and lead == "beats_control" and loss == "loss_small":
        return "ship", reasons
    return "not_enough_evidence", reasons


def _judge_gain(task: TaskResult) -> str:
    if task.ci95 is None:
        return "no_test"
    if task.ci95[0] > 0:
        return "gain_real"
    return "worse_than_base" if task.ci95[1] < 0 else "gain_unclear"


def _judge_control(control: Control | None) -> str | None:
    """None without a test split. A lead whose interval holds zero is unclear: more rows would settle it."""
    if control is None:
        return None
    if control.ci95[0] > 0:
        return "beats_control"
    return "not_beats_control" if control.ci95[1] <= 0 else "control_unclear"


def _judge_loss(retention: Retention, thresholds: EvaluateSection) -> str:
    """Significant comes first: it needs no minimum of base-right probes, since a test that finds it has enough."""
    net = retention.lost - retention.gained
    if retention.p_value is not None and retention.p_value < thresholds.significance and net > 0:
        return "loss_significant"
    if retention.base_right < thresholds.base_right_minimum:
        return "too_few_base_right"
    assert retention.net_loss is not None
    return "loss_large" if retention.net_loss > thresholds.net_loss else "loss_small"


def _compare(
    base: Sequence[Answer], tuned: Sequence[Answer], name: str, level: float
) -> tuple[TaskResult, Difference | None]:
    """Base against tuned on the same items: one task's, or all of them macro-averaged by task."""
    deltas = [after.score - before.score for before, after in zip(base, tuned, strict=False)]
    tasks = [answer.task for answer in base]
    difference = compare_paired(deltas, groups=tasks, clusters=_clusters(base), level=level)
    scorers = Counter(answer.scorer for answer in base)
    graded = any(0 < answer.score < 1 for answer in [*base, *tuned])
    result = TaskResult(
        task=name,
        metric=" + ".join(sorted(scorers)),
        n=len(base),
        base=score_answers(base),
        tuned=score_answers(tuned),
        delta=difference.mean if difference else None,
        ci95=difference.interval if difference else None,
        p_value=difference.p_value if difference else None,
        better=sum(delta > 0 for delta in deltas),
        worse=sum(delta < 0 for delta in deltas),
        same=sum(delta == 0 for delta in deltas),
        # Wilson's interval is one of a rate: of right answers, where scores are only 0 and 1.
        base_ci95=None if graded else wilson_interval(sum(answer.right for answer in base), len(base), level),
        tuned_ci95=None if graded else wilson_interval(sum(answer.right for answer in tuned), len(tuned), level),
    )
    return result, difference


def find_weak(base: Sequence[Answer]) -> set[str]:
    """Families of probes that the base cannot answer: it has nothing to lose there, and another model can only gain."""
    rights = defaultdict(list)
    for answer in base:
        rights[answer.family].append(answer.right)
    return {family for family, right in rights.items() if sum(right) < LEAST_RIGHT * len(right)}


def _compare_probes(base: Sequence[Answer], tuned: Sequence[Answer], level: float) -> Retention:
    """Lost and gained answers to what both were asked, without the weak families."""
    said = {answer.id: answer for answer in tuned}
    every = [(before, said[before.id]) for before in base if before.id in said]
    weak = find_weak([before for before, _ in every])
    out = {name: cell for name, cell in _count(every, lambda answer: answer.family).items() if name in weak}
    pairs = [pair for pair in every if pair[0].family not in out]
    lost = [(before, after) for before, after in pairs if before.right and not after.right]
    gained = sum(after.right and not before.right for before, after in pairs)
    return Retention(
        n=len(pairs),
        base_right=sum(before.right for before, _ in pairs),
        lost=len(lost),
        gained=gained,
        p_value=mcnemar_p(len(lost), gained),
        loss_upper95=net_loss_upper(len(lost), gained, len(pairs), level),
        net_loss=(len(lost) - gained) / len(pairs) if pairs else None,
        # The user's own probes name no language; they are counted by family.
        by_language=_count([pair for pair in pairs if pair[0].language], lambda answer: answer.language),
        by_family=_count(pairs, lambda answer: answer.task),
        left_out=out,
        lost_items=[
            LostItem(
                id=before.id,
                family=before.task,
                prompt=before.prompt,
                reference=before.reference,
                base=before.answer,
                tuned=after.answer,
            )
            for before, after in lost
        ],
    )


def _count(pairs: Sequence[tuple[Answer, Answer]], key: object) -> dict[str, dict[str, int]]:
    """Items, base-right, lost and gained by a property of the probe."""
    assert callable(key)
    table: dict[str, dict[str, int]] = {}
    for before, after in pairs:
        cell = table.setdefault(key(before), {"n": 0, "base_right": 0, "lost": 0, "gained": 0})
        cell["n"] += 1
        cell["base_right"] += before.right
        cell["lost"] += before.right and not after.right
        cell["gained"] += after.right and not before.right
    return table


def _clusters(answers: Sequence[Answer]) -> list[str]:
    return [answer.cluster or answer.id for answer in answers]


def _of(answers: Sequence[Answer], task: str) -> list[Answer]:
    return [answer for answer in answers if answer.task == task]


def _rows_needed(
    reasons: Sequence[str],
    difference: Difference | None,
    control: Control | None,
    retention: Retention,
    thresholds: EvaluateSection,
) -> int | None:
    """Test rows (or, where only retention is open, probes) that would settle it; None where it is settled."""
    if "no_test" in reasons:
        return SMALL_TEST
    if {"gain_unclear", "control_unclear"} & set(reasons):
        gain = needed_items(difference) if "gain_unclear" in reasons and difference else None
        lead = control.rows_needed if "control_unclear" in reasons and control else None
        return max(filter(None, (gain, lead)), default=None)
    if "too_few_base_right" in reasons and retention.n:
        told = needed_items_for_loss((retention.lost + retention.gained) / retention.n, thresholds.net_loss)
        # So many that the base has enough of them right, at the share that it has now.
        known = math.ceil(retention.n * thresholds.base_right_minimum / max(1, retention.base_right))
        return max(told, known)
    return None


def _summarise(language: Language, decision: Decision, task: TaskResult, retention: Retention) -> str:
    """One sentence that a manager can read."""
    if task.delta is None or task.ci95 is None:
        return tell("verdict.summary.no_test", language, lost=retention.lost, gained=retention.gained)
    unasked = decision == "not_enough_evidence" and not retention.n
    return tell(
        "verdict.summary.no_probes" if unasked else f"verdict.summary.{decision}",
        language,
        base=f"{100 * (task.base or 0):.0f}",
        tuned=f"{100 * (task.tuned or 0):.0f}",
        delta=f"{100 * task.delta:+.1f}",
        low=f"{100 * task.ci95[0]:+.1f}",
        high=f"{100 * task.ci95[1]:+.1f}",
        n=task.n,
        lost=retention.lost,
        gained=retention.gained,
        probes=retention.n,
    )
