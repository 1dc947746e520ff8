"""When memory runs out all the same: told from other failures, and answers made again fewer at a time.

In: what was raised, or prompts. Out: whether it was memory; the same answers, and word of what was changed. What had
ended before is kept. Where not even one answer fits, the error is raised as it came.

    listeners = Listeners(keep, note)
    answers = answer_within_memory(model, prompts, limits=limits, ends=ends, batch_size=32, listeners=listeners)
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import nn

from tuneproof.model.generate import Generated, generate_answers
from tuneproof.model.hardware import is_out_of_memory, release_heap


def release_memory() -> None:
    """Let go of what nothing refers to any more, on the device too. Call it outside the `except`: an exception holds
    the frames it went through, and these the tensors."""
    gc.collect()
    release_heap()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Listeners(NamedTuple):
    """Who hears what while answers are made."""

    on_answers: Callable[[Mapping[int, Generated]], None]
    """Answers as they end, by their prompts' indices."""
    on_fewer: Callable[[int, int], None] | None = None
    """That fewer are made side by side, (before, now); without it nothing is tried again, since a change must not be
    silent."""


def answer_within_memory(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    *,
    limits: Sequence[int],
    ends: Sequence[int],
    batch_size: int,
    listeners: Listeners,
) -> list[Generated]:
    """`generate_answers`, with half as many side by side for what is left when memory runs out.

    Raises what `generate_answers` raises when not even one fits.
    """
    known: dict[int, Generated] = {}
    while len(known) < len(prompts):
        left = [index for index in range(len(prompts)) if index not in known]

        def note(ended: Mapping[int, Generated], left: Sequence[int] = left) -> None:
            made = {left[place]: answer for place, answer in ended.items()}
            known.update(made)
            listeners.on_answers(made)

        try:
            generate_answers(
                model,
                [prompts[index] for index in left],
                limits=[limits[index] for index in left],
                ends=ends,
                batch_size=batch_size,
                on_answers=note,
            )
        except (RuntimeError, MemoryError) as error:
            smallest = min(batch_size, len(left)) == 1
            if smallest or listeners.on_fewer is None or not is_out_of_memory(error):
                raise
        else:
            break
        release_memory()
        before, batch_size = batch_size, max(1, min(batch_size, len(prompts) - len(known)) // 2)
        listeners.on_fewer(before, batch_size)
    return [known[index] for index in range(len(prompts))]
