"""Answers of one arm to items, each scored and kept.

In: a loaded model (the caller switches the adapter on or off), items. Out: one `Answer` an item, in the items' order.

    answers = measure_items(model, tokenizer, items, serving=Serving(batch_size=32))
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tuneproof.errors import ScorerError
from tuneproof.evals.task import Item, score_item
from tuneproof.model.chat import encode_prompt, end_ids
from tuneproof.model.generate import Generated
from tuneproof.model.store import Serving, recall_answers
from tuneproof.records import Answer, Message, Row


def measure_items(
    model: Any,
    tokenizer: Any,
    items: Sequence[Item],
    *,
    serving: Serving,
    on_progress: Callable[[int], None] | None = None,
    on_unscored: Callable[[Sequence[tuple[Item, str]]], None] | None = None,
) -> list[Answer]:
    """Answer every item greedily and score it. `on_progress` hears how many are done.

    `on_unscored` gets the answers when a scorer of the user's own fails; its ScorerError goes on.
    """
    done = 0

    def count(ended: Mapping[int, Generated]) -> None:
        nonlocal done
        done += len(ended)
        if on_progress:
            on_progress(done)

    prompts, limits = [encode_prompt(tokenizer, item.messages) for item in items], [item.limit for item in items]
    generated = recall_answers(
        model,
        prompts,
        limits=limits,
        ends=end_ids(tokenizer, model.generation_config),
        serving=serving,
        on_answers=count,
    )
    texts = [tokenizer.decode(made.ids, skip_special_tokens=True).strip() for made in generated]
    try:
        scores = [score_item(item, text) for item, text in zip(items, texts, strict=True)]
    except ScorerError:
        if on_unscored:
            on_unscored(list(zip(items, texts, strict=True)))
        raise
    return [
        Answer(
            id=item.id,
            task=item.task,
            scorer=item.scorer,
            prompt=item.prompt,
            reference=item.reference,
            answer=text,
            score=score,
            right=right,
            tokens=len(made.ids),
            finish=made.finish,
            cluster=item.cluster,
            language=item.language,
        )
        for item, made, text, (score, right) in zip(items, generated, texts, scores, strict=True)
    ]


def add_examples(items: Sequence[Item], rows: Sequence[Row], count: int) -> list[Item]:
    """Items whose prompt shows `count` solved rows of the same task first: the few-shot control.

    The examples are the task's training rows of median length, so that they are typical and not the longest; an item's
    own duplicate cluster is never on the training side.
    """
    by_task: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_task[row.task].append(row)
    shown: dict[str, list[Message]] = {}
    for task, some in by_task.items():
        some.sort(key=lambda row: (len(row.question) + len(row.reference), row.id))
        middle = max(0, (len(some) - count) // 2)
        picked = some[middle : middle + count]
        shown[task] = [message for row in picked for message in row.messages if message.role != "system"]
    return [item._replace(messages=_insert(shown.get(item.task, []), item.messages)) for item in items]


def _insert(examples: list[Message], messages: list[Message]) -> list[Message]:
    """Examples after the system prompt and before the question."""
    head = [message for message in messages[:1] if message.role == "system"]
    return [*head, *examples, *messages[len(head) :]]
