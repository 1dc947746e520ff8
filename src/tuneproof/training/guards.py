"""Guards of a training: stopping well, weights that stay finite, a loss that does not run away.

The first Ctrl-C or SIGTERM saves within a step, the second stops at once. A weight that is no number ends the run
before it can be saved. A loss that has risen far above where it began ends it too: what comes after is wasted.

    with catch_signals() as stop:
        trainer.add_callback(StopCallback(stop))
        trainer.train()
    stop.number      # None, or the signal that came
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from tuneproof.errors import TrainingError
from tuneproof.model.crew import join_crew
from tuneproof.model.hardware import release_heap

WINDOW = 20
"""Steps whose mean loss is compared. Batches of one row scatter by about a nat a step, so such means by 0.3."""
RISE = 2.0
"""Nats by which the mean loss may stand above that of the first steps: seven times the perplexity, and no accident,
since a difference of such means scatters by 0.3 * sqrt 2."""


class Stop:
    """Whether to stop, and for which signal."""

    number: int | None = None


ASKED = Stop()
"""What a training outside the main thread looks at; see `ask_stop`."""


def ask_stop(number: int) -> None:
    """Stop the training of another thread as by this signal: after its step, saved."""
    ASKED.number = number


@contextmanager
def catch_signals() -> Iterator[Stop]:
    """Note the first SIGINT or SIGTERM instead of dying; the second gets the usual treatment.

    Outside the main thread, where Python cannot set handlers, whoever has them calls `ask_stop`.
    """
    if threading.current_thread() is not threading.main_thread():
        ASKED.number = None
        yield ASKED
        return
    stop = Stop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: Any) -> None:
        stop.number = number
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class CheckpointCallback(TrainerCallback):
    """Tells of each checkpoint on the way; where the run ends with it, others look at it anyway."""

    def __init__(self, listen: Callable[[int], None] | None) -> None:
        self.listen = listen
        self.seconds = 0.0
        """What the listener has taken so far."""

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **facts: Any
    ) -> TrainerControl:
        """A checkpoint is whole."""
        if self.listen is not None and state.global_step < state.max_steps and not control.should_training_stop:
            begun = time.perf_counter()
            # What the steps have kept (training/heap) would lie beside what the listener takes.
            release_heap()
            self.listen(state.global_step)
            release_heap()
            self.seconds += time.perf_counter() - begun
        return control


class StopCallback(TrainerCallback):
    """Saves and ends training at the end of the step in which a signal came."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **facts: Any
    ) -> TrainerControl:
        """Ask for a save and the end, on all ranks after the same step."""
        agreed = join_crew().agree(self.stop.number)
        # Nothing else is written back: a signal may have come while the others were waited for.
        if agreed is not None:
            self.stop.number = agreed
            control.should_save = True
            control.should_training_stop = True
        return control


class WeightCallback(TrainerCallback):
    """Ends training after a step that left a weight which is no number: it must not reach a checkpoint.

    `list_weights` is asked after a step: by then a checkpoint that is gone on from has been loaded. `refuse` makes the
    error that tells of the step's rows, from a word for what is wrong, its value, and the step.
    """

    def __init__(
        self, list_weights: Callable[[], Iterable[Tensor]], refuse: Callable[[str, float, int], TrainingError]
    ) -> None:
        self.list_weights, self.refuse = list_weights, refuse

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **facts: Any
    ) -> TrainerControl:
        """Look at all trained weights: their sum of squares is no number when one of them is none."""
        trained = [weight.detach() for weight in self.list_weights()]
        total = float(torch.stack(torch._foreach_norm(trained)).sum())
        if not total < float("inf"):
            raise self.refuse("weight", total, state.global_step)
        return control


class LossWatch:
    """Tells early that a training diverges, from the loss of each step."""

    def __init__(self, losses: Sequence[float]) -> None:
        """`losses`: those of the steps that were done before."""
        self.losses = list(losses)

    def look(self, step: int, loss: float) -> None:
        """Take in the loss of a step. Raises TrainingError when the last ones stand far above the first ones."""
        self.losses.append(loss)
        if len(self.losses) < 2 * WINDOW:
            return
        before, now = fmean(self.losses[:WINDOW]), fmean(self.losses[-WINDOW:])
        if now > before + RISE:
            where, told = f"step {step}", {"before": f"{before:.2f}", "now": f"{now:.2f}"}
            raise TrainingError("train.diverged", where=where, n=WINDOW, **told)
