"""Rotary position embeddings in three passes over memory each way, where transformers' function takes eight to ten.

A step of Qwen1.5-1.8B on an H100 takes 152 ms with this one and 177 with that (benchmarks/RESULTS.md): autograd
differentiates halves, signs and joins one by one, and they lie otherwise in memory than the products beside them. Here
both halves are turned where they lie, and the backward pass turns back. In 16 bits a sum is rounded twice instead of
three times.

transformers' attention looks its function up in its own module. `fuse_rotary` gives an attention layer a copy of its
forward that looks up ours; classes and modules stay as they are.

    fuse_rotary(model)        # a model of any device
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tuneproof.model.liger import find_kernels

NAME = "apply_rotary_pos_emb"
"""What transformers calls it in every model that has it."""
WIDTH = 8
"""Of the small head by which a function is tried out."""
Rotate = Callable[..., tuple[Tensor, Tensor]]


def turn(states_BHTD: Tensor, cos_B1TD: Tensor, near_B1Th: Tensor, far_B1Th: Tensor, way: int = 1) -> Tensor:
    """x cos + way (-x2 near, x1 far) of both halves of the last axis, x1 and x2; in x's own order of memory."""
    turned = states_BHTD * cos_B1TD
    first, second = states_BHTD.chunk(2, -1)
    into_first, into_second = turned.chunk(2, -1)
    into_first.addcmul_(second, near_B1Th, value=-way)
    into_second.addcmul_(first, far_B1Th, value=way)
    return turned


class Rotation(torch.autograd.Function):
    """`turn` by cos and sin of shape (B, 1, T, D), which have no gradient. Kept for the backward: these two."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Output of the states' shape, (B, H, T, D)."""
        ctx.save_for_backward(cos, sin)
        near, far = sin.chunk(2, -1)
        return turn(states, cos, near, far)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None]:
        """Gradient by the states: what the first half was added to with a sign comes back from there."""
        cos, sin = ctx.saved_tensors
        near, far = sin.chunk(2, -1)
        return turn(outer[0], cos, far, near, -1), None, None


def rotate_states(
    plain: Rotate, query: Tensor, key: Tensor, cos: Tensor, sin: Tensor, unsqueeze_dim: int = 1
) -> tuple[Tensor, Tensor]:
    """Query and key of shape (B, H, T, D), rotated; by the `plain` function where only a part of a head is."""
    if cos.shape[-1] != query.shape[-1] or query.dtype != cos.dtype or key.dtype != cos.dtype:
        return plain(query, key, cos, sin, unsqueeze_dim=unsqueeze_dim)
    differentiated = torch.is_grad_enabled() and (query.requires_grad or key.requires_grad)
    kernels = find_kernels() if differentiated and unsqueeze_dim == 1 else None
    if kernels:
        return kernels.rotate(query, key, cos, sin)
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
    if differentiated:
        return Rotation.apply(query, cos, sin), Rotation.apply(key, cos, sin)  # type: ignore[no-untyped-call]
    near, far = sin.chunk(2, -1)
    return turn(query, cos, near, far), turn(key, cos, near, far)


def fuse_rotary(model: nn.Module) -> int:
    """Let each attention layer rotate by `rotate_states`; returns how many do.

    A layer whose function does otherwise (pairs of neighbours, parts of a head) is found by trying it out, and stays.
    """
    count = 0
    for module in model.modules():
        forward = type(module).forward
        plain = getattr(forward, "__globals__", {}).get(NAME)
        if "forward" in vars(module) or plain is None or NAME not in forward.__code__.co_names:
            continue
        if is_plain_rotation(plain):
            module.forward = MethodType(_look_up_ours(forward, plain), module)
            count += 1
    return count


@lru_cache(maxsize=32)
def _look_up_ours(forward: Any, plain: Rotate) -> FunctionType:
    """The same code, with `rotate_states` under the function's name."""

    def rotate(*states: Any, **options: Any) -> tuple[Tensor, Tensor]:
        return rotate_states(plain, *states, **options)

    names = {**forward.__globals__, NAME: rotate}
    copy = FunctionType(forward.__code__, names, forward.__name__, forward.__defaults__, forward.__closure__)
    copy.__kwdefaults__ = forward.__kwdefaults__
    return copy


@lru_cache(maxsize=32)
def is_plain_rotation(plain: Rotate) -> bool:
    """Whether a function computes what `rotate_states` does, tried on small states whose halves turn differently."""
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(2, heads, 3, WIDTH, generator=generator, device="cpu") for heads in (4, 2))
    cos, sin = (torch.randn(2, 3, WIDTH, generator=generator, device="cpu") for _ in range(2))
    with torch.no_grad():
        try:
            wanted = plain(query, key, cos, sin)
        except (TypeError, ValueError, RuntimeError):
            return False
        found = rotate_states(plain, query, key, cos, sin)
    return all(torch.allclose(one, other, atol=1e-6) for one, other in zip(found, wanted, strict=True))
