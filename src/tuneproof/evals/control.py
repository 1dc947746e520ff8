"""The control: the best answerer that has not learnt the task. The tuned model must beat it, not only the base.

A tuned model that only learnt the output format beats a base that scores zero: shuffled training answers did, 11 to
0. Three controls, all on the same test items: the base with solved examples in its prompt, the most frequent training
answer, and the tuned model's own answers held against other items' references of the same task.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tuneproof.evals.tally import macro_average, score_answers
from tuneproof.evals.task import Item, score_item
from tuneproof.records import Answer, Control, Row
from tuneproof.statistics import compare_paired, needed_items


class PromptCost(NamedTuple):
    """What the few-shot control's prompt takes."""

    examples: int
    tokens: float
    """Mean tokens of a prompt."""
    plain: float
    """Mean tokens of the same questions without examples."""


PERMUTATIONS = 10
"""Other references each tuned answer is held against; their mean is the item's control score."""


def score_frequent(items: Sequence[Item], rows: Sequence[Row]) -> list[float]:
    """Score of each item when it is answered with its task's most frequent training answer."""
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        answers[row.task][row.reference] += 1
    return [
        score_item(item, answers[item.task].most_common(1)[0][0])[0] if answers[item.task] else 0.0 for item in items
    ]


def score_permuted(items: Sequence[Item], tuned: Sequence[Answer], seed: int) -> list[float]:
    """Mean score of each tuned answer against references of other items of the same task (0 where it has none)."""
    others: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        others[item.task].append(item)
    chance = random.Random(seed)
    scores = []
    for item, answer in zip(items, tuned, strict=False):
        pool = [other for other in others[item.task] if other.id != item.id and other.cluster != item.cluster]
        picked = chance.sample(pool, min(PERMUTATIONS, len(pool)))
        held = [score_item(item._replace(reference=o.reference, required=o.required), answer.answer)[0] for o in picked]
        scores.append(sum(held) / len(held) if held else 0.0)
    return scores


def compare_control(
    tuned: Sequence[Answer],
    frequent: Sequence[float],
    permuted: Sequence[float],
    few_shot: Sequence[Answer],
    *,
    level: float,
    cost: PromptCost | None = None,
) -> Control | None:
    """The control with the best macro-averaged score, and the tuned model's lead over it; None without items.

    `few_shot` may cover fewer items (or none): it is then compared on those.
    """
    if not tuned:
        return None
    by_id = {answer.id: answer.score for answer in few_shot}
    shown = [answer for answer in tuned if answer.id in by_id]
    arms: list[Control] = []
    for kind, answers, scores in (
        ("few_shot", shown, [by_id[answer.id] for answer in shown]),
        ("most_frequent", tuned, list(frequent)),
        ("permuted", tuned, list(permuted)),
    ):
        tasks = [answer.task for answer in answers]
        lead = compare_paired(
            [answer.score - score for answer, score in zip(answers, scores, strict=False)],
            groups=tasks,
            clusters=[answer.cluster or answer.id for answer in answers],
            level=level,
        )
        if lead is not None:
            score = macro_average(tasks, scores)
            assert score is not None
            arms.append(
                Control(
                    kind=kind,  # type: ignore[arg-type]
                    score=score,
                    delta=lead.mean,
                    ci95=lead.interval,
                    n=len(answers),
                    rows_needed=needed_items(lead),
                )
            )
            if kind == "few_shot" and cost:
                arms[-1].examples, arms[-1].prompt_tokens, arms[-1].plain_tokens = cost
    return max(arms, key=lambda arm: arm.score)


def choose_examples(tried: Mapping[int, Sequence[Answer]]) -> int | None:
    """The number of examples with the best macro-averaged score, the fewest of equals; None where none was tried.

    Only items that every number has answered count.
    """
    shared = set.intersection(*({answer.id for answer in said} for said in tried.values())) if tried else set()

    def rank(count: int) -> tuple[float, int]:
        return -(score_answers([answer for answer in tried[count] if answer.id in shared]) or 0.0), count

    return min(tried, key=rank, default=None)
