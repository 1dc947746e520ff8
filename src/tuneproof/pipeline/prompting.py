"""The few-shot control: how many solved rows to show, chosen on the select rows, and what such a prompt costs.

Was tuning needed at all? The base with examples in its prompt is the strongest answerer that needs no training, so it
gets its best number of examples. What was tried is kept as the base's suites `examples-1`, `examples-3`, ...
"""

from __future__ import annotations

from statistics import fmean

from tuneproof.evals.control import PromptCost, choose_examples
from tuneproof.evals.measure import add_examples
from tuneproof.evals.task import Item, spread_items
from tuneproof.model.chat import encode_prompt
from tuneproof.pipeline.work import Work

TRIED_ROWS = 20
"""Select rows that each number of examples answers; the chosen one answers all of them."""


def list_tries(work: Work) -> dict[str, list[Item]]:
    """Suite -> items, one for each number of examples that fits the context."""
    rows = spread_items(work.row_items("select", work.config.evaluate.select_rows), TRIED_ROWS)
    return {name_suite(count): add_examples(rows, work.train_rows, count) for count in list_counts(work) if rows}


def list_untried(work: Work, count: int) -> list[Item]:
    """The select rows that the chosen number of examples has not answered yet.

    They tell the choice of the adapter what there is to beat.
    """
    if not count:
        return []
    tried = {answer.id for answer in work.run.find_answers("base", name_suite(count))}
    rows = [item for item in work.row_items("select", work.config.evaluate.select_rows) if item.id not in tried]
    return add_examples(rows, work.train_rows, count)


def list_counts(work: Work) -> list[int]:
    """Numbers of examples to try: those with which every test row leaves room for its answer."""
    tests = work.row_items("test", work.config.evaluate.test_rows)
    counts = []
    for count in sorted({count for count in work.config.evaluate.few_shot if count > 0}):
        items = add_examples(tests, work.train_rows, count)
        longest = max((len(encode_prompt(work.tokenizer, item.messages)) + item.limit for item in items), default=0)
        if work.context is None or longest <= work.context:
            counts.append(count)
    return counts


def name_suite(count: int) -> str:
    """Suite of the select rows answered with so many examples."""
    return f"examples-{count}"


def choose_count(work: Work) -> int:
    """Examples in the control's prompt, from the kept answers; 0 where the control is off or none fits."""
    tried = {count: work.run.find_answers("base", name_suite(count)) for count in work.config.evaluate.few_shot}
    chosen = choose_examples({count: answers for count, answers in tried.items() if answers})
    if chosen is None:
        # Without select rows nothing was tried: the middle one.
        counts = list_counts(work)
        chosen = counts[len(counts) // 2] if counts else 0
    return chosen


def list_shown(work: Work, count: int) -> list[Item]:
    """The test rows that the control answers, with `count` examples in front of each."""
    knobs = work.config.evaluate
    tests = work.row_items("test", knobs.test_rows)
    shown = spread_items(tests, knobs.few_shot_rows or len(tests))
    return add_examples(shown, work.train_rows, count)


def weigh_prompt(work: Work) -> PromptCost | None:
    """Tokens of the control's prompt, with the examples and without; None where the control is off."""
    count = choose_count(work)
    shown, plain = list_shown(work, count), list_shown(work, 0)
    if not count or not shown:
        return None
    means = [fmean(len(encode_prompt(work.tokenizer, item.messages)) for item in some) for some in (shown, plain)]
    return PromptCost(count, *means)
