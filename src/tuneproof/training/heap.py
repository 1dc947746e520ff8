"""The memory of a processor's steps, kept from one step to the next where the plan's promise allows it.

with keep_steps(model, rows, shape, course):
    ...                                     # rehearsed, or trained
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from torch import nn

from tuneproof.model.hardware import keep_heap
from tuneproof.model.step import get_base
from tuneproof.training.dataset import RowSet
from tuneproof.training.recording import Course, find_room
from tuneproof.training.recovery import Shape


def keep_steps(model: Any, rows: RowSet, shape: Shape, course: Course) -> AbstractContextManager[None]:
    """`keep_heap` for steps on these rows, whose largest block is the widest layer's fp32 output for a full pack."""
    layers = [layer for layer in get_base(model).get_decoder().modules() if not isinstance(layer, nn.Embedding)]
    # Of experts too, which some models hold in one weight of three axes.
    weights = (weight for layer in layers for weight in layer.parameters(recurse=False) if weight.dim() > 1)
    widest = max((max(weight.shape[-2:]) for weight in weights), default=0)
    block = 4 * widest * find_room(rows, shape, course).tokens
    return keep_heap(next(model.parameters()).device.type, block)
