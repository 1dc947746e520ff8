"""What the model answers in the middle of training, for who watches: the same few questions at each checkpoint.

answer_samples(work, step=40)       # eval/samples/checkpoint-40.jsonl
"""

from __future__ import annotations

from tuneproof.errors import TuneproofError
from tuneproof.evals.measure import measure_items
from tuneproof.evals.task import Item
from tuneproof.model.crew import join_crew
from tuneproof.model.store import Serving
from tuneproof.pipeline.work import Work

SAMPLES = 3
SAMPLE_TOKENS = 48
"""New tokens of a sample at most: a watcher sees the drift of an answer, and training waits for no more."""


def answer_samples(work: Work, step: int) -> None:
    """A few select items, one a task, answered by the model as it stands in the middle of training, for who watches.

    The lead keeps them in `eval/samples`. Where the model is split all ranks ask the same, since a layer comes only
    when all want it. Greedy answers draw no random number, so training goes on as if nobody had asked.
    """
    first: dict[str, Item] = {}
    for item in work.row_items("select", work.config.evaluate.select_rows):
        first.setdefault(item.task, item)
    some = [item._replace(limit=min(item.limit, SAMPLE_TOKENS)) for item in list(first.values())[:SAMPLES]]
    try:
        answers = measure_items(work.model, work.tokenizer, some, serving=Serving(SAMPLES)) if some else []
    except (RuntimeError, TuneproofError) as error:
        # Out of memory, or a scorer of the user's own: neither is a reason to end a training.
        if join_crew().leads:
            work.run.log_event("sample_failed", step=step, error=str(error))
        return
    if join_crew().leads:
        work.run.save_answers("samples", f"checkpoint-{step}", answers)
