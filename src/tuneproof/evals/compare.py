"""Two runs on the items that both have answered: pairing, differences, Holm's correction. Pure functions.

In: kept answers of one arm of each run. Out: records. An item is shared when id, prompt, reference and scorer are the
same: a reworded probe or another scorer would measure the item, not the model.

    difference = compare_arms(Arm(first_test, first_probes), Arm(other_test, other_probes))
    adjust_holm([0.01, 0.04])    # [0.02, 0.04]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tuneproof.evals.tally import count_flips, score_answers
from tuneproof.records import Answer, AnswerDifference, ArmDifference, RunComparison, ScoreDifference
from tuneproof.records.compare import LeftOut
from tuneproof.statistics import compare_paired, mcnemar_p, net_loss_upper


class Arm(NamedTuple):
    """Answers of one arm of a run."""

    test: Sequence[Answer]
    probes: Sequence[Answer]


class Pairing(NamedTuple):
    """Answers to the same items, and how many items are left out for which reason."""

    pairs: list[tuple[Answer, Answer]]
    """(the first run's, the other's), in the first run's order."""
    left_out: dict[LeftOut, int]


def compare_arms(first: Arm, other: Arm) -> ArmDifference:
    """The other run's arm against the first's; p-values not yet corrected."""
    return ArmDifference(
        test=compare_scores(pair_answers(first.test, other.test)),
        retention=compare_answers(pair_answers(first.probes, other.probes)),
    )


def pair_answers(first: Sequence[Answer], other: Sequence[Answer]) -> Pairing:
    """The answers to the items that both have: same id, prompt, reference and scorer."""
    by_id = {answer.id: answer for answer in other}
    pairs: list[tuple[Answer, Answer]] = []
    left_out: Counter[LeftOut] = Counter()
    for before in first:
        after = by_id.pop(before.id, None)
        if after is None:
            left_out["only_first"] += 1
        elif (before.prompt, before.reference) != (after.prompt, after.reference):
            left_out["changed"] += 1
        elif before.scorer != after.scorer:
            left_out["scorer"] += 1
        else:
            pairs.append((before, after))
    if by_id:
        left_out["only_other"] = len(by_id)
    return Pairing(pairs, dict(left_out))


def compare_scores(pairing: Pairing) -> ScoreDifference:
    """Paired difference of the scores, macro-averaged by task; tasks and duplicate clusters are the first run's."""
    first, other = [pair[0] for pair in pairing.pairs], [pair[1] for pair in pairing.pairs]
    deltas = [after.score - before.score for before, after in pairing.pairs]
    tasks = [answer.task for answer in first]
    difference = compare_paired(deltas, groups=tasks, clusters=[answer.cluster or answer.id for answer in first])
    return ScoreDifference(
        n=len(deltas),
        left_out=pairing.left_out,
        first=score_answers(first),
        other=score_answers(other),
        delta=difference.mean if difference else None,
        ci95=difference.interval if difference else None,
        p_value=difference.p_value if difference else None,
        p_adjusted=None,
        better=sum(delta > 0 for delta in deltas),
        worse=sum(delta < 0 for delta in deltas),
        same=sum(delta == 0 for delta in deltas),
    )


def compare_answers(pairing: Pairing) -> AnswerDifference:
    """Right answers lost and gained, with McNemar's exact test."""
    n = len(pairing.pairs)
    lost, gained = count_flips([pair[0] for pair in pairing.pairs], [pair[1] for pair in pairing.pairs])
    return AnswerDifference(
        n=n,
        left_out=pairing.left_out,
        first_right=sum(before.right for before, _ in pairing.pairs),
        other_right=sum(after.right for _, after in pairing.pairs),
        lost=lost,
        gained=gained,
        net_loss=(lost - gained) / n if n else None,
        loss_upper95=net_loss_upper(lost, gained, n),
        p_value=mcnemar_p(lost, gained),
        p_adjusted=None,
    )


def correct_runs(runs: Sequence[RunComparison]) -> None:
    """Fill in `p_adjusted` of every difference. Each question (arm and suite) is one family of comparisons."""
    tuned = [run.tuned for run in runs]
    bases = [run.base for run in runs if run.base is not None]
    for arms in (tuned, bases):
        tests, probes = [arm.test for arm in arms], [arm.retention for arm in arms]
        for score, p_adjusted in zip(tests, adjust_holm([one.p_value for one in tests]), strict=True):
            score.p_adjusted = p_adjusted
        for answer, p_adjusted in zip(probes, adjust_holm([one.p_value for one in probes]), strict=True):
            answer.p_adjusted = p_adjusted


def adjust_holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down p-values (Holm 1979): the chance of even one false finding stays at the level of the test.

    A comparison without a p-value (nothing differs) stays None and still counts as one of the family.
    """
    ordered = sorted(range(len(p_values)), key=lambda at: _as_number(p_values[at]))
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, at in enumerate(ordered):
        highest = max(highest, min(1.0, (len(p_values) - rank) * _as_number(p_values[at])))
        adjusted[at] = highest if p_values[at] is not None else None
    return adjusted


def _as_number(p_value: float | None) -> float:
    """Without a discordant pair there is no evidence of a difference at all."""
    return 1.0 if p_value is None else p_value
