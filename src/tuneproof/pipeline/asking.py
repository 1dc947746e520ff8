"""Who is asked: the model as it stands, and the candidates among which the adapter is chosen.

In: a `Work` and items. Out: answers; those of a candidate are kept in `eval/select` as they come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tuneproof.errors import TuneproofError
from tuneproof.evals.chance import Bounds
from tuneproof.evals.control import score_frequent, score_permuted
from tuneproof.evals.measure import measure_items
from tuneproof.evals.select import Ahead, Exam, Key
from tuneproof.evals.task import Item
from tuneproof.evals.verdict import find_weak
from tuneproof.model.chat import encode_prompt
from tuneproof.model.store import Serving
from tuneproof.pipeline.crew import Ask, answer_share, follow_me
from tuneproof.pipeline.mirror import push_run
from tuneproof.pipeline.probes import choice_probes
from tuneproof.pipeline.prompting import choose_count, name_suite
from tuneproof.pipeline.recovery import hear_fewer
from tuneproof.pipeline.work import Work
from tuneproof.records import Answer, DataReport
from tuneproof.rundir import RunDir, write_atomic

SAMPLES = 3
SAMPLE_TOKENS = 48
"""New tokens of a sample at most: a watcher sees the drift of an answer, and training waits for no more."""
TRAIN_ITEMS = 30
"""Training rows that the tuned model answers, where the select split has as many."""


def answer_items(work: Work, items: Sequence[Item], before: int) -> list[Answer]:
    """Answers of the model as it stands, by all ranks; progress goes on from `before`. What the base has answered in
    earlier runs is not asked again."""
    ask = Ask(items, size_batch(work, items), work.stance)
    with follow_me(work, "answer", ask) as crew:
        share = answer_share(
            work,
            crew,
            ask,
            on_progress=lambda done: work.progress.advance(before + min(done * crew.size, len(items))),
            on_fewer=hear_fewer(work),
        )
        shares = crew.gather(share)
    for change in (change for share in shares for change in share.fewer):
        hear_fewer(work)(*change)
    if unscored := [pair for share in shares for pair in share.unscored]:
        keep_unscored(work.run, unscored)
    for share in shares:
        if share.failure is not None:
            raise share.failure
    if work.store is not None and ask.stance is None:
        work.store.recalled += sum(share.recalled for share in shares[1:])
    said = {at: answer for share in shares for at, answer in share.answers}
    return [said[at] for at in range(len(items))]


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


def visit_checkpoint(work: Work, step: int) -> None:
    """What is done at a checkpoint in the middle of training: samples, a copy, and what the run's owner asks for.

    A model that is split answers nothing then: the other ranks are not asked, and it would wait for them.
    """
    if not work.split:
        answer_samples(work, step)
    push_run(work)
    work.on_checkpoint(work, step)


def list_train_items(work: Work) -> list[Item]:
    """Items of the training rows that the tuned model answers."""
    knobs = work.config.evaluate
    count = knobs.train_rows
    if count is None:
        count = min(TRAIN_ITEMS, len(work.row_items("select", knobs.select_rows)))
    return work.row_items("train", count)


def fit_batch(work: Work, longest: int) -> int:
    """Answers side by side: as planned, and fewer where prompt and answer are longer than those planned for."""
    rows, tokens = work.config.evaluate.batch_size, work.plan.settings.answer_tokens
    return max(1, min(rows, tokens // max(longest, 1))) if tokens else rows


def size_batch(work: Work, items: Sequence[Item]) -> int:
    """Answers side by side to items of the run; fewer than planned where prompts with examples, or the user's own
    probes, are longer."""
    sizes = [len(encode_prompt(work.tokenizer, item.messages)) + item.limit for item in items]
    return fit_batch(work, max(sizes, default=0))


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
        items = [*work.row_items("select", work.config.evaluate.select_rows), *choice_probes(work)]
        self._work, self._total, self._done = work, total, 0
        self.items = {item.id: item for item in items}
        self._said = {key: list(said) for key, said in known.items()}

    def __call__(self, step: int, scale: float, asked: Sequence[Answer]) -> list[Answer]:
        """A candidate's answers to the items of these answers of the base, in their order."""
        self._work.wear(checkpoint_path(self._work, step), scale)
        # Weaker scales, tried where no finalist passes, are not in the total.
        self._done = min(self._done, self._total - len(asked))
        said = answer_items(self._work, [self.items[answer.id] for answer in asked], self._done)
        self._done += len(said)
        every = self._said.setdefault((step, scale), [])
        every += said
        self._work.run.save_answers("select", name_candidate((step, scale)), every)
        return said


def make_exam(work: Work, ask: Asking) -> Exam:
    """What candidates are asked, and what the verdict will look at."""
    load, knobs = work.run.load_answers, work.config.evaluate
    control = work.run.find_answers("base", name_suite(choose_count(work)))
    choice, verdict = load("base", "slice"), load("base", "retention")
    weak = find_weak([*choice, *verdict])
    counted = sum(answer.family not in weak for answer in verdict)
    rows = count_test(work)
    shown = min(rows, knobs.few_shot_rows or rows)
    ahead = Ahead(Bounds(knobs.net_loss, knobs.significance), rows, counted, shown, weak)
    asked = load("base", "select")
    told = score_frequent([ask.items[answer.id] for answer in asked], work.train_rows)
    frequent = {answer.id: score for answer, score in zip(asked, told, strict=True)}

    def score_untaught(said: Sequence[Answer]) -> list[list[float]]:
        items = [ask.items[answer.id] for answer in said]
        return [[frequent[answer.id] for answer in said], score_permuted(items, said, work.config.train.seed)]

    probes = [answer for answer in choice if answer.id in ask.items]
    return Exam(asked, probes, ask, ahead, control, score_untaught)


def count_test(work: Work) -> int:
    """Test rows of the verdict; a trial that ends before it has none of its own, and is chosen as if for its run's."""
    split = work.run.load(DataReport).split
    count = split.test if split else 0
    return min(count, work.config.evaluate.test_rows or count)


def name_candidate(key: Key) -> str:
    """Suite of a candidate's answers."""
    return f"checkpoint-{key[0]}@{key[1]:g}"


def checkpoint_path(work: Work, step: int) -> Path:
    """Folder of a checkpoint."""
    return work.run.checkpoints / f"checkpoint-{step}"
