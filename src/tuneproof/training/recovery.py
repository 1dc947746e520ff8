"""A training step that ran out of memory is taken again in smaller packs: the same rows, the same sum, word of it.

How a step is cut into packs changes no loss and no gradient beyond the last bits, so a run that had to be lightened
ends as one that was planned so from the start: the rows of each step and their order are the data loader's. Where a
pack is a single row already, activations are recomputed; where they are, nothing is left, and the run stops with what
it has saved.

    total, shape = take_step(attempt, Footing(model, rows, shape), on_lighter)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tuneproof.errors import FitError
from tuneproof.model.chat import Encoded
from tuneproof.model.hardware import is_out_of_memory
from tuneproof.model.load import enable_checkpointing, is_recomputing
from tuneproof.model.packing import pack_lengths
from tuneproof.model.recovery import release_memory
from tuneproof.model.step import get_base


class Shape(NamedTuple):
    """How a step is cut and computed."""

    pack_tokens: int
    """Tokens of a pack at most; a longer row gets a pack of its own."""
    loss_chunk: int
    plain_head: bool
    """See `model.step.check_plain_head`."""
    pack_rows: int | None = None
    """Rows of a pack at most: 1 where the model cannot keep packed rows apart."""
    in_step: bool = False
    """Whether all ranks compute as many packs, since the model is split over them (`model/split`)."""


class Lighter(NamedTuple):
    """What was changed so that a step fits."""

    lever: str
    """The config key: `train.micro_batch`, `memory.checkpointing`."""
    before: int
    """Tokens of a pack; 0 or 1 for a switch."""
    after: int


class Footing(NamedTuple):
    """What a step stands on."""

    model: Any
    rows: Sequence[Encoded]
    shape: Shape


def cut_rows(rows: Sequence[Encoded], shape: Shape) -> list[list[int]]:
    """Indices of the rows of each pack of a step."""
    return pack_lengths([len(row.ids) for row in rows], shape.pack_tokens, shape.pack_rows)


def take_step(
    attempt: Callable[[Shape], Tensor], footing: Footing, on_lighter: Callable[[Lighter], None]
) -> tuple[Tensor, Shape]:
    """What `attempt` returns, and the shape with which it did; lightened until it fits.

    An attempt adds to gradients that are None before it. Random numbers are the same in each, so that dropout is too.
    Raises FitError when nothing lighter is left or where the ranks are in step, and whatever else `attempt` raises.
    """
    model, rows, shape = footing
    while True:
        states = torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        try:
            return attempt(shape), shape
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if shape.in_step:
                raise refuse_split(error) from error
            told = str(error).strip().splitlines()
        # Outside the handler: the exception holds the step's tensors.
        model.zero_grad(set_to_none=True)
        release_memory()
        torch.set_rng_state(states[0])
        torch.cuda.set_rng_state_all(states[1])
        shape, change = lighten(model, rows, shape, told[0] if told else "")
        on_lighter(change)


def refuse_split(error: Exception) -> FitError:
    """The error for memory that ran out on one of the ranks in step: the others are in the middle of the same step, and
    cannot begin it again."""
    return FitError("train.out_of_memory_split", why="".join(str(error).strip().splitlines()[:1])[:200])


def lighten(model: Any, rows: Sequence[Encoded], shape: Shape, told: str = "") -> tuple[Shape, Lighter]:
    """The next lighter way to take a step of these rows: packs of half as many tokens, then recomputed activations.

    Raises FitError, with what the device `told`, when both are spent.
    """
    packs = cut_rows(rows, shape)
    if max(map(len, packs)) > 1:
        lighter = shape
        # A step may have fewer tokens than a pack holds: halved until it is cut otherwise.
        while cut_rows(rows, lighter) == packs:
            lighter = lighter._replace(pack_tokens=max(1, lighter.pack_tokens // 2))
        return lighter, Lighter("train.micro_batch", shape.pack_tokens, lighter.pack_tokens)
    base = get_base(model)
    if not is_recomputing(base) and base.supports_gradient_checkpointing:
        enable_checkpointing(base)
        return shape, Lighter("memory.checkpointing", 0, 1)
    raise FitError("train.out_of_memory", why=told[:200])
