"""Results of the commonest operators on `meta`, by their shapes alone: half the time of a trace.

There PyTorch works most arithmetic out in Python (`torch/_refs`, `torch/_decomp`), 150 to 450 us a call, for a tensor
that has no values. Where all operands are laid out plainly, the result is a plain tensor of a known shape. In: operator
and arguments. Out: the result, or None where PyTorch has to be asked. A test holds traces with and without it equal.

    make_result("aten::mul", (states_BTH, weight_H))        # a tensor of the shape of states_BTH
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

INPLACE = {"aten::addmm_", "aten::addcmul_", "aten::mul_", "aten::add_", "aten::div_", "aten::sub_"}
BINARY = {"aten::mul", "aten::add", "aten::sub", "aten::div", "aten::pow"}
UNARY = {"aten::neg", "aten::rsqrt", "aten::silu"}


def make_result(name: str, args: tuple[Any, ...]) -> Tensor | None:
    """The operator's result on `meta` tensors; None where it is not known to be plain."""
    first = args[0] if args else None
    if not isinstance(first, Tensor) or not first.is_meta:
        return None
    if name in INPLACE:
        return first
    if name == "aten::addmm":
        left, right = args[1], args[2]
        alike = first.dtype == left.dtype == right.dtype
        return torch.empty(left.shape[0], right.shape[1], dtype=first.dtype, device="meta") if alike else None
    if not _is_plain(first):
        return None
    if name in UNARY:
        return _empty(first.shape, first)
    return _combine(first, args[1]) if name in BINARY else None


def _combine(first: Tensor, other: Any) -> Tensor | None:
    """An elementwise result: where one operand has the result's shape, so that its layout decides."""
    if not isinstance(other, Tensor):
        return _empty(first.shape, first) if isinstance(other, (int, float)) else None
    if other.dim() == 0 and not other.is_meta:
        return _empty(first.shape, first) if first.dim() else None
    if not other.is_meta or other.dtype != first.dtype or not _is_plain(other):
        return None
    shape = torch.broadcast_shapes(first.shape, other.shape)
    return _empty(shape, first) if shape in (first.shape, other.shape) else None


def _is_plain(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.is_contiguous()


def _empty(shape: torch.Size, like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device="meta")
