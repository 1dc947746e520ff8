"""Stopping well: the first Ctrl-C or SIGTERM saves within a step, the second stops at once.

with catch_signals() as stop:
    trainer.add_callback(StopCallback(stop))
    trainer.train()
stop.number      # None, or the signal that came
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Stop:
    """Whether to stop, and for which signal."""

    number: int | None = None


@contextmanager
def catch_signals() -> Iterator[Stop]:
    """Note the first SIGINT or SIGTERM instead of dying; the second gets the usual treatment.

    Does nothing outside the main thread, where Python cannot set handlers.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
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


class StopCallback(TrainerCallback):
    """Saves and ends training at the end of the step in which a signal came."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **facts: Any
    ) -> TrainerControl:
        """Ask for a save and the end."""
        if self.stop.number is not None:
            control.should_save = True
            control.should_training_stop = True
        return control
