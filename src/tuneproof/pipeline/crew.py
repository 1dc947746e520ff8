"""Several ranks on one run: the lead walks the chain, the others follow its orders, a share of the work each.

Only what takes long is shared out, training and answering. For either the lead tells an order, all ranks do it, and the
lead has the whole result. The model is whole on each rank; where the plan splits it over them, it is so for training
and its rehearsal, and loaded anew for answers. In: the environment of torchrun or `--gpus`. Out: the exit code of this
rank.

    lead_or_follow(lambda: run_command(["run", "rows.jsonl", "--model", "demo"]))       # on every rank

    with follow_me(work, "train"):          # in a verb, on the lead; nothing happens where it is alone
        train_adapter(...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from tuneproof.config.load import load_config
from tuneproof.errors import FitError, RunError, StoppedError, TrainingError
from tuneproof.evals.measure import measure_items
from tuneproof.evals.task import Item
from tuneproof.model.crew import Crew, join_crew
from tuneproof.model.hardware import is_out_of_memory
from tuneproof.model.likely import soften_rows
from tuneproof.model.store import Serving
from tuneproof.pipeline.mirror import Copy, hand_over, take_over
from tuneproof.pipeline.work import Stance, Work
from tuneproof.progress import Quiet
from tuneproof.records import Answer
from tuneproof.rundir import RunDir
from tuneproof.training.dataset import RowSet, encode_rows
from tuneproof.training.recovery import Lighter, refuse_split
from tuneproof.training.rehearse import Rehearsal, rehearse_step
from tuneproof.training.train import StepLog, set_course, train_adapter


class Ask(NamedTuple):
    """Items to answer, and who is asked."""

    items: Sequence[Item]
    batch_size: int
    stance: Stance


What = Literal["rehearse", "train", "answer"]


class Order(NamedTuple):
    """What the others are to do."""

    run: Path
    what: What
    ask: Ask | None = None
    """For `answer`."""
    copy: Copy | None = None
    """What to fetch before it, where the ranks are on several machines."""


class Share(NamedTuple):
    """What a rank has answered, or why it could not."""

    answers: Sequence[tuple[int, Answer]] = ()
    """With the place of its item."""
    recalled: int = 0
    """Answers of the base that earlier runs had made."""
    fewer: Sequence[tuple[int, int]] = ()
    """Each time that memory ran out: answers side by side before, and after."""
    unscored: Sequence[tuple[Item, str]] = ()
    """Answers that a scorer of the user's own has failed on."""
    failure: Exception | None = None


Fewer = Callable[[int, int], None]
"""Hears that memory ran out: answers side by side before, and now."""
AGREED = (StoppedError, TrainingError)
"""What ends a training on all ranks after the same step: a signal, and what its numbers say."""
Change = tuple[int, Lighter]
"""A step that ran out of memory, and what was changed."""
UNDER_WAY: list[Order] = []
"""The order that is being done, on the lead."""


def lead_or_follow(lead: Callable[[], int]) -> int:
    """On rank 0 what `lead` returns, and the others are sent home after it; 0 on these.

    Raises there what a share of a training fails by, such as FitError: the lead waits in vain, and who started them
    ends all.
    """
    crew = join_crew()
    if not crew.leads:
        return follow(crew)
    code = lead()
    # After a failure in the middle of an order the others wait in vain, and who started them ends them.
    if not UNDER_WAY:
        with suppress(RunError):  # They have gone by the same signal.
            crew.tell(lambda: None)
    return code


@contextmanager
def follow_me(work: Work, what: What, ask: Ask | None = None) -> Iterator[Crew]:
    """Let the other ranks do their shares of what is done inside."""
    crew = join_crew()
    if crew.size == 1:
        yield crew
        return
    copy = hand_over(work) if crew.beside < crew.size else None
    UNDER_WAY.append(Order(work.run.path.resolve(), what, ask, copy))
    crew.tell(lambda: UNDER_WAY[-1])
    try:
        yield crew
    except AGREED:
        UNDER_WAY.pop()
        raise
    # Not where it failed otherwise: then the others are not through with it.
    UNDER_WAY.pop()


def follow(crew: Crew) -> int:
    """Do the lead's orders until there are none. Returns the exit code of this rank."""
    work: Work | None = None
    while True:
        try:
            order: Order | None = crew.tell(lambda: None)
        except RunError:
            # The lead has gone, and has told why.
            return 0
        if order is None:
            return 0
        take_over(order.copy)
        work = open_work(order.run, work)
        try:
            if order.what == "rehearse":
                rehearse_share(work, encode_rows(work.tokenizer, work.lessons))
            elif order.what == "train":
                crew.gather(train_share(work))
            elif order.ask is not None:
                crew.gather(answer_share(work, crew, order.ask))
        except AGREED:
            continue


def open_work(path: Path, before: Work | None) -> Work:
    """The run as the lead has written it down; the base is kept where it is the same."""
    run = RunDir(path)
    work = Work(run, load_config(run.config)[0], Quiet())
    if before is not None:
        before.drop_adapter()
        same = (before.config.model, before.plan.settings.dtype, before.plan.settings.quantization)
        if same == (work.config.model, work.plan.settings.dtype, work.plan.settings.quantization):
            work.hardware, work.tokenizer = before.hardware, before.tokenizer
            if "base" in before.__dict__:
                work.base = before.base
        else:
            before.drop_base()
    return work


@contextmanager
def hold_together(work: Work) -> Iterator[None]:
    """Let `work.model` be as it is trained, and `work.shape` what the lead's is: whole, or split over the ranks where
    the plan says so.

    To be split it is loaded for this alone, and let go of. All ranks enter this; nothing of the model may be held when
    it ends. Raises FitError where fewer have come than the plan has room for.
    """
    crew, settings = join_crew(), work.plan.settings
    if settings.strategy == "fsdp" and work.hardware.device == "cuda" and crew.size < settings.ranks:
        raise FitError("plan.few_ranks", where="--gpus", ranks=settings.ranks, size=crew.size)
    if settings.strategy != "fsdp" or crew.size == 1:
        work.shape = crew.tell(lambda: work.shape)
        yield
        return
    work.drop_base()
    known, work.split = crew.tell(lambda: work.__dict__.get("shape")), True
    # Where the lead has none, all find it out together.
    shape = known or work.shape
    work.shape = shape._replace(in_step=True)
    try:
        yield
    finally:
        work.drop_base()
        work.split, work.shape = False, shape


def rehearse_share(work: Work, rows: RowSet) -> Rehearsal:
    """The heaviest step on a model that is split: all ranks take the same one, since none could alone.

    Raises FitError where memory runs out.
    """
    with hold_together(work):
        try:
            return rehearse_step(work.model, rows, work.shape, set_course(len(rows), work.config))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise refuse_split(error) from error


def soften_replay(work: Work, rows: RowSet, lessons: int) -> RowSet:
    """The rows of a training, `lessons` before its replay, of which what the base finds likely is learnt where the
    config says so. All ranks call it."""
    if not work.config.replay.soft or len(rows) == lessons:
        return rows
    return RowSet(rows.rows, [*rows.encoded[:lessons], *soften_rows(work.model, rows.encoded[lessons:], work.reading)])


def train_share(work: Work) -> list[Change]:
    """This rank's share of every step; checkpoints, events and records are the lead's. Returns what was lightened."""
    changes: list[Change] = []
    with hold_together(work):
        train_adapter(
            work.model,
            soften_replay(work, encode_rows(work.tokenizer, [*work.lessons, *work.rehearsals]), len(work.lessons)),
            config=work.config,
            shape=work.shape,
            folder=work.run.checkpoints,
            log=StepLog([], lambda report: None, on_lighter=lambda step, change: changes.append((step, change))),
        )
    return changes


@contextmanager
def stand(work: Work, stance: Stance) -> Iterator[None]:
    """Let this one answer: the base, or an adapter, folded where the plan says so."""
    if stance is None:
        with work.base_only():
            yield
        return
    if stance != work.stance:
        work.wear(*stance)
    with work.folded():
        yield


def answer_share(
    work: Work, crew: Crew, ask: Ask, *, on_progress: Callable[[int], None] | None = None, on_fewer: Fewer | None = None
) -> Share:
    """This rank's share of the answers. What fails is handed to the lead, which raises it; so is what `on_fewer` would
    hear, where there is none."""
    mine = crew.share([item.limit for item in ask.items])
    store = work.store if ask.stance is None else None
    before = store.recalled if store else 0
    fewer: list[tuple[int, int]] = []
    hear = on_fewer or (lambda before, now: fewer.append((before, now)))
    unscored: list[tuple[Item, str]] = []
    try:
        with stand(work, ask.stance):
            answers = measure_items(
                work.model,
                work.tokenizer,
                [ask.items[at] for at in mine],
                serving=Serving(ask.batch_size, store, hear),
                on_progress=on_progress,
                on_unscored=unscored.extend,
            )
    except Exception as error:
        return Share(fewer=fewer, unscored=unscored, failure=error)
    recalled = store.recalled - before if store else 0
    return Share(list(zip(mine, answers, strict=True)), recalled, fewer, unscored)
