"""Who is asked: the model as it stands, and the candidates among which the adapter is chosen.

In: a `Work` and items. Out: answers; those of a candidate are kept in `eval/select` as they come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tuneproof.errors import TuneproofError
from tuneproof.evals.measure import measure_items
from tuneproof.evals.select import Ahead, Exam, Key
from tuneproof.evals.task import Item
from tuneproof.model.chat import encode_prompt
from tuneproof.model.load import set_adapter
from tuneproof.model.store import AnswerStore, Serving
from tuneproof.pipeline.prompting import choose_count, name_suite
from tuneproof.pipeline.recovery import hear_fewer
from tuneproof.pipeline.work import Work
from tuneproof.records import Answer
from tuneproof.rundir import RunDir, write_atomic

SAMPLES = 3
SAMPLE_TOKENS = 48
"""New tokens of a sample at most: a watcher sees the drift of an answer, and training waits for no more."""


def answer_items(work: Work, items: Sequence[Item], before: int, store: AnswerStore | None = None) -> list[Answer]:
    """Answers of the model as it stands; progress goes on from `before`. `store`: of the base, where it is asked."""
    model: Any = work.model
    with work.folded():
        return measure_items(
            model,
            work.tokenizer,
            items,
            serving=Serving(size_batch(work, items), store, hear_fewer(work)),
            on_unscored=lambda answers: keep_unscored(work.run, answers),
            on_progress=lambda done: work.progress.advance(before + done),
        )


def answer_samples(work: Work, step: int) -> None:
    """A few select items, one a task, answered by the model as it stands in the middle of training, for who watches.

    They are kept in `eval/samples`. Greedy answers draw no random number, so training goes on as if nobody had asked.
    """
    first: dict[str, Item] = {}
    for item in work.row_items("select", work.config.evaluate.select_rows):
        first.setdefault(item.task, item)
    some = [item._replace(limit=min(item.limit, SAMPLE_TOKENS)) for item in list(first.values())[:SAMPLES]]
    try:
        answers = measure_items(work.model, work.tokenizer, some, serving=Serving(SAMPLES)) if some else []
    except (RuntimeError, TuneproofError) as error:
        # Out of memory, or a scorer of the user's own: neither is a reason to end a training.
        work.run.log_event("sample_failed", step=step, error=str(error))
        return
    work.run.save_answers("samples", f"checkpoint-{step}", answers)


def size_batch(work: Work, items: Sequence[Item]) -> int:
    """Answers side by side to items of the run; fewer than planned where prompts with examples, or the user's own
    probes, are longer."""
    sizes = [len(encode_prompt(work.tokenizer, item.messages)) + item.limit for item in items]
    return work.fit_batch(max(sizes, default=0))


def keep_unscored(run: RunDir, answers: Sequence[tuple[Item, str]]) -> None:
    """Write the answers that a scorer failed on to eval/unscored.jsonl, so that they are not lost with it."""
    lines = [
        {"id": item.id, "place": item.place, "prompt": item.prompt, "reference": item.reference, "answer": answer}
        for item, answer in answers
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_atomic(run.path / "eval" / "unscored.jsonl", text)


class Asking:
    """Candidates being asked: each is put on the model, and what it says is kept in `eval/select`."""

    def __init__(self, work: Work, total: int, known: Mapping[Key, Sequence[Answer]] = MappingProxyType({})) -> None:
        items = [*work.row_items("select", work.config.evaluate.select_rows), *work.slice_items()]
        self._work, self._total, self._done = work, total, 0
        self._items = {item.id: item for item in items}
        self._said = {key: list(said) for key, said in known.items()}

    def __call__(self, step: int, scale: float, asked: Sequence[Answer]) -> list[Answer]:
        """A candidate's answers to the items of these answers of the base, in their order."""
        set_adapter(self._work.model, checkpoint_path(self._work, step), scale)
        # Weaker scales, tried where no finalist passes, are not in the total.
        self._done = min(self._done, self._total - len(asked))
        said = answer_items(self._work, [self._items[answer.id] for answer in asked], self._done)
        self._done += len(said)
        every = self._said.setdefault((step, scale), [])
        every += said
        self._work.run.save_answers("select", name_candidate((step, scale)), every)
        return said


def make_exam(work: Work, ask: Asking) -> Exam:
    """What candidates are asked, and what the verdict will look at."""
    load = work.run.load_answers
    control = work.run.find_answers("base", name_suite(choose_count(work)))
    ahead = Ahead(work.config.evaluate.net_loss, len(load("base", "few_shot")), len(work.probe_items()))
    return Exam(load("base", "select"), load("base", "slice"), ask, ahead, control)


def name_candidate(key: Key) -> str:
    """Suite of a candidate's answers."""
    return f"checkpoint-{key[0]}@{key[1]:g}"


def checkpoint_path(work: Work, step: int) -> Path:
    """Folder of a checkpoint."""
    return work.run.checkpoints / f"checkpoint-{step}"
