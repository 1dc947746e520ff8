"""Kernels as the target device would run them, where `meta` tensors would take another path.

On `meta` PyTorch's scaled_dot_product_attention takes its plain path, which holds all T x T scores. No dispatch mode
can change that (the choice is made below it), and a function mode is off inside `backward`, so that a checkpoint would
recompute something else; so the function itself is replaced while a trace runs, and put back after it.

    with name_kernels("flash"): ...

Also here: what CUDA kernels take beside their results while they run, which no dispatch mode can see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tuneproof.model.attention import FLASH_DEVICES, WideAttention
from tuneproof.model.norms import KERNEL_DEVICES

Kernel = Literal["cpu", "flash", "efficient"]

RECORDED_STATES = 3
"""What a recorded pack (model/decoder) holds beside a launched one, in states of (T, H): the last hidden ones within
the recording and outside, and the gradient by them. cuBLAS' workspace for its stream is left to the margin."""

MATRIX_PRODUCTS = {"aten::mm", "aten::addmm", "aten::addmm_", "aten::bmm"}


@contextmanager
def name_kernels(kernel: Kernel) -> Iterator[None]:
    """Run attention by the operator that a device would choose: `cpu`; CUDA's `flash` (16 bit) or `efficient`; and
    norms by their kernel where there is one."""
    plain = nn.functional.scaled_dot_product_attention

    def attend(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        **options: Any,
    ) -> Tensor:
        grouped = bool(options.pop("enable_gqa", False))
        chosen = _choose_kernel(kernel, (query, key, value), attn_mask, dropout_p, grouped)
        scale = options.get("scale")
        if chosen == "plain":
            grouped = key.shape[1] != query.shape[1]
            return plain(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=grouped)
        mask = _add_mask(attn_mask, query)
        output: Tensor
        if chosen == "cpu" and is_causal and query.dtype != torch.float32:
            output = WideAttention.apply(query, key, value, scale)  # type: ignore[no-untyped-call]
        elif chosen == "cpu":
            output, *_ = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
                query, key, value, dropout_p, is_causal, attn_mask=mask, scale=scale
            )
        elif chosen == "flash":
            output, *_ = torch.ops.aten._scaled_dot_product_flash_attention(
                query, key, value, dropout_p, is_causal, False, scale=scale
            )
        else:
            if mask is not None:
                mask = mask.expand(query.shape[0], query.shape[1], query.shape[2], key.shape[2])
            output, *_ = torch.ops.aten._scaled_dot_product_efficient_attention(
                query, key, value, mask, query.requires_grad, dropout_p, is_causal, scale=scale
            )
        return output

    nn.functional.scaled_dot_product_attention = attend  # type: ignore[assignment]
    if kernel == "flash":
        FLASH_DEVICES.add("meta")
    if kernel != "cpu":
        KERNEL_DEVICES.add("meta")
    try:
        yield
    finally:
        nn.functional.scaled_dot_product_attention = plain
        FLASH_DEVICES.discard("meta")
        KERNEL_DEVICES.discard("meta")


def _choose_kernel(
    kernel: Kernel, states: tuple[Tensor, Tensor, Tensor], mask: Tensor | None, dropout: float, grouped: bool
) -> Literal["cpu", "flash", "efficient", "plain"]:
    """The operator that PyTorch's choice functions take (`sdp_utils.cpp`, `sdp_utils_cpp.cpp`)."""
    query, key, value = states
    same_heads = key.shape[1] == query.shape[1]
    # The flash kernels want values as wide as keys.
    flashes = (same_heads or grouped) and value.shape[-1] == query.shape[-1]
    if kernel == "cpu":
        return "cpu" if dropout == 0 and flashes else "plain"
    if kernel == "flash" and mask is None and query.dtype != torch.float32 and flashes:
        return "flash"
    # The memory-efficient kernel knows no grouped heads.
    return "efficient" if same_heads else "plain"


def _add_mask(mask: Tensor | None, query: Tensor) -> Tensor | None:
    """A mask of truths as the kernels want it: 0 where a token may look, -inf where not."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    allowed = torch.zeros((), dtype=query.dtype, device=query.device)
    return torch.where(mask, allowed, torch.full((), float("-inf"), dtype=query.dtype, device=query.device))


def _count_flash_backward(args: tuple[Any, ...]) -> int:
    """fp32 sum of dO*O and fp32 dQ; with grouped heads dK and dV at the query's heads (flash_api.cpp, mha_bwd)."""
    query_BHTD, key_BHTD = args[1], args[2]
    batch, heads, length, width = query_BHTD.shape
    grouped = key_BHTD.shape[1] != heads
    padded = batch * _round_up(length, 128)
    return _count_flash(padded, batch * key_BHTD.shape[2] if grouped else 0, (heads, width), query_BHTD.element_size())


def _count_rows_backward(args: tuple[Any, ...]) -> int:
    """As `_count_flash_backward`, each row padded by up to 128 tokens (flash_api.cpp, mha_varlen_bwd)."""
    query_THD, key_THD, ends = args[1], args[2], args[6]
    length, heads, width = query_THD.shape
    grouped = key_THD.shape[1] != heads
    padded = length + 128 * (ends.numel() - 1)
    return _count_flash(padded, key_THD.shape[0] if grouped else 0, (heads, width), query_THD.element_size())


def _count_flash(padded: int, expanded: int, head: tuple[int, int], size: int) -> int:
    """Of `padded` tokens dQ and sums in fp32, of `expanded` ones dK and dV. `head`: heads of the query, their width."""
    heads, width = head
    return int(4 * heads * padded * (1 + _round_up(width, 32)) + 2 * heads * expanded * width * size)


def _count_efficient_backward(args: tuple[Any, ...]) -> int:
    """delta, and fp32 accumulators of dQ, dK and dV: an upper bound read off the kernel's source, not measured."""
    query_BHTD = args[1]
    batch, heads, length, _ = query_BHTD.shape
    copies = 3 if query_BHTD.element_size() == 2 else 1
    return int(4 * batch * heads * _round_up(length, 64) + copies * 4 * query_BHTD.numel())


WORKSPACES: dict[str, Callable[[tuple[Any, ...]], int]] = {
    "aten::_flash_attention_backward": _count_rows_backward,
    "aten::_scaled_dot_product_flash_attention_backward": _count_flash_backward,
    "aten::_scaled_dot_product_efficient_attention_backward": _count_efficient_backward,
}
"""Operator -> bytes that its CUDA kernel takes while it runs, beside its results."""


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
