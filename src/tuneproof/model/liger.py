"""Liger's kernels for rotary embeddings and gated products, where work is recorded and Liger is installed.

Each is one pass over memory where PyTorch takes several. But Triton's launches take Python longer than PyTorch's: a
step of Qwen1.5-1.8B on an H100 that was launched kernel by kernel took 174 ms with Liger's rotation and 152 without
(benchmarks/RESULTS.md). A recorded step is launched as one, so there they pay.

    with fused():
        kernels = find_kernels()         # None where there are none
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from torch import Tensor

log = logging.getLogger(__name__)


class Kernels(NamedTuple):
    """What is taken from Liger."""

    rotate: Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    """Query, key, cos and sin -> query and key, rotated in their own memory; differentiable."""
    join: Callable[[Tensor, Tensor], Tensor]
    """silu(gate) * up."""
    part: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    """Gate, up and the gradient by their product -> the gradients by both, in their memory."""


class _Use:
    """Whether they are used now: by all threads, since a backward pass runs in one of its own."""

    on = False


@contextmanager
def fused(*, wanted: bool = True) -> Iterator[None]:
    """Use them, where they are `wanted`."""
    before, _Use.on = _Use.on, wanted
    try:
        yield
    finally:
        _Use.on = before


def find_kernels() -> Kernels | None:
    """The kernels, while they are used; None else, and where Liger or Triton is not installed."""
    return load_kernels() if _Use.on else None


@lru_cache(maxsize=1)
def load_kernels() -> Kernels | None:
    """Import them, once."""
    try:
        ops: Any = import_module("liger_kernel.ops")
        gated: Any = import_module("liger_kernel.ops.swiglu")
        rotate, forward, backward = ops.LigerRopeFunction.apply, gated.swiglu_forward, gated.swiglu_backward
    except (ImportError, AttributeError, RuntimeError) as error:
        log.info("without Liger's kernels: %s", error)
        return None

    def join(gate: Tensor, up: Tensor) -> Tensor:
        product: Tensor = forward(gate, up)[-1]
        return product

    def part(gate: Tensor, up: Tensor, by_product: Tensor) -> tuple[Tensor, Tensor]:
        by_gate, by_up = backward(gate, up, by_product)
        return by_gate, by_up

    return Kernels(rotate, join, part)
