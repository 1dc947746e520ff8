"""RMSNorm in one kernel each way on CUDA, where transformers' takes a dozen and keeps an fp32 copy of its input; on
other devices, for which PyTorch has no such kernel, in half the passes over memory.

Of a step of Qwen1.5-1.8B on an H100 (8,192 tokens) transformers' norms took 37 ms of the card's 198. One norm of the
demo model takes them 8.6 ms on a CPU, and 3.4 here (1,160 tokens, both passes; benchmarks/RESULTS.md).
The weight is multiplied in fp32 and the product rounded once; transformers' modules round before that product too.
The module's place and its weight's name stay, so adapters, exports and checkpoints do not see it.

    fuse_norms(model)        # a model of any device
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

KERNEL_DEVICES = {"cuda"}
"""Kinds of device on which PyTorch has the kernel. The memory plan adds `meta` while it traces such a device."""
WIDTH = 8
"""Of the small module by which a class is tried out."""


class RootNorm(torch.autograd.Function):
    """x / sqrt(mean(x^2) + eps) * w over the last axis, w frozen. Kept for the backward: x, and a number a row."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight_H: Tensor, eps: float) -> Tensor:
        """Output in x's dtype and shape (..., H)."""
        if not takes_kernel(x, weight_H):
            output, scale = normalise(x, weight_H, eps)
        elif x.is_meta:
            output, scale = torch.empty_like(x), x.new_empty((*x.shape[:-1], 1), dtype=torch.float32)
        else:
            output, scale = torch.ops.aten._fused_rms_norm(x, [x.shape[-1]], weight_H, eps)
        ctx.save_for_backward(x, scale, weight_H)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None]:
        """Gradient by x."""
        x, scale, weight_H = ctx.saved_tensors
        if not takes_kernel(x, weight_H):
            return step_back(outer[0], x, scale, weight_H), None, None
        if x.is_meta:
            return torch.empty_like(x), None, None
        by_x, _ = torch.ops.aten._fused_rms_norm_backward(
            outer[0].contiguous(), x, [x.shape[-1]], scale, weight_H, [True, False]
        )
        return by_x, None, None


def takes_kernel(x: Tensor, weight_H: Tensor) -> bool:
    """Whether PyTorch has its kernel for them."""
    return x.device.type in KERNEL_DEVICES and x.dtype == weight_H.dtype


def normalise(x: Tensor, weight_H: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Output of x's shape and dtype, and each row's scale in fp32, (..., 1), in three passes over x."""
    wide = x.float()
    size = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    scale = size.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
    return torch.mul(wide, scale).mul_(weight_H).to(x.dtype), scale


def step_back(outer: Tensor, x: Tensor, scale: Tensor, weight_H: Tensor) -> Tensor:
    """Gradient by x: s g w - s^3 x mean(g w x), where s is the row's scale and g the gradient by the output."""
    wide = x.float()
    by_normal = torch.mul(outer.float(), weight_H)
    mean = torch.mul(by_normal, wide).mean(-1, keepdim=True)
    return by_normal.mul_(scale).addcmul_(wide, mean.mul_(scale.pow(3)), value=-1).to(x.dtype)


class FusedNorm(nn.Module):
    """What `fuse_norms` puts in a norm's place; it takes its weight over."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.weight: nn.Parameter = plain.weight
        self.plain_class: type[nn.Module] = type(plain)
        self.variance_epsilon = read_eps(plain)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised x, of shape (..., H)."""
        output: Tensor = RootNorm.apply(x, self.weight, self.variance_epsilon)  # type: ignore[no-untyped-call]
        return output


def fuse_norms(model: nn.Module) -> int:
    """Put the fused module in place of each plain RMSNorm; returns how many there are.

    Norms that do otherwise (Gemma's add one to the weight) are found by trying their class out, and stay.
    """
    count = 0
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            kind: Any = type(child)
            if kind.__name__.endswith("RMSNorm") and is_plain_norm(kind) and has_one_weight(child):
                setattr(parent, name, FusedNorm(child))
                count += 1
    return count


def has_one_weight(norm: nn.Module) -> bool:
    """Whether this one is as its class was tried: some have no weight (Gemma 4's of values) or no small number."""
    shapes = {name: weight.dim() for name, weight in norm.named_parameters()}
    return shapes == {"weight": 1} and read_eps(norm) is not None


@lru_cache(maxsize=32)
def is_plain_norm(kind: Hashable) -> bool:
    """Whether a class computes what `FusedNorm` does, tried on a small one with weights of its own."""
    build: Any = kind
    with torch.device("cpu"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            norm = build(WIDTH, eps=1e-3)
        except TypeError:
            return False
        if [name for name, _ in norm.named_parameters()] != ["weight"] or read_eps(norm) != 1e-3:
            return False
        with torch.no_grad():
            norm.weight.copy_(torch.randn(WIDTH))
            x = torch.randn(3, WIDTH)
            return torch.allclose(norm(x), nn.functional.rms_norm(x, (WIDTH,), norm.weight, 1e-3), atol=1e-6)


def read_eps(norm: Any) -> float | None:
    """The small number of a norm; None where it has none."""
    eps: float | None = getattr(norm, "variance_epsilon", getattr(norm, "eps", None))
    return eps
