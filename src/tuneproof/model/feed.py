"""The feed-forward block of Llama's kind as one step of training: down(silu(gate(x)) * up(x)), with LoRA on all three.

autograd would keep four tensors of the inner width a token: gate, silu(gate), up and their product. Here gate and up
are kept and the others made again in the backward pass, which costs two passes over them and no matrix product (as
Unsloth's kernels do). Where nothing is differentiated, and for whatever is not just one adapter a layer, the block does
what it did.

    join_blocks(model)       # after the adapter is on
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tuneproof.model.liger import find_kernels
from tuneproof.model.lora import Kept, OneAdapter, multiply_layers, step_back

LAYERS = ("gate_proj", "up_proj", "down_proj")


class GatedProducts(torch.autograd.Function):
    """See the module's docstring."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: list[OneAdapter], *adapters: Tensor) -> Tensor:
        """`adapters`: A and B of gate, up and down. Output of x's shape but for the last axis."""
        *wide, down = layers
        x_TH = x.reshape(-1, x.shape[-1])
        (gate_TI, up_TI), kept = multiply_layers(x_TH, wide, adapters[:4])
        kernels = find_kernels()
        product_TI = kernels.join(gate_TI, up_TI) if kernels else nn.functional.silu(gate_TI).mul_(up_TI)
        (output_TO,), of_down = multiply_layers(product_TI, [down], adapters[4:])
        ctx.save_for_backward(*kept[:3], *kept.ups, gate_TI, up_TI, *of_down[1:3], *of_down.ups)
        ctx.layers, ctx.shape = layers, x.shape
        return output_TO.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients by x and the adapters."""
        x_TH, inner_TR, down_RH, up_1, up_2, gate_TI, up_TI, inner_Tr, down_rI, up_3 = ctx.saved_tensors
        *wide, down = ctx.layers
        by_y_TO = outer[0].reshape(x_TH.shape[0], -1)
        kernels = find_kernels()
        active_TI: Any = None if kernels else nn.functional.silu(gate_TI)
        product_TI = kernels.join(gate_TI, up_TI) if kernels else active_TI * up_TI
        of_down = Kept(product_TI, inner_Tr, down_rI, (up_3,))
        by_product_TI, by_last = step_back([down], of_down, [by_y_TO], by_input=True)
        assert by_product_TI is not None
        del of_down, product_TI
        if kernels:
            by_gate_TI, by_up_TI = kernels.part(gate_TI, up_TI, by_product_TI)
        else:
            by_up_TI = active_TI.mul_(by_product_TI)
            by_gate_TI = torch.ops.aten.silu_backward(by_product_TI.mul_(up_TI), gate_TI)
        del by_product_TI
        kept = Kept(x_TH, inner_TR, down_RH, (up_1, up_2))
        by_x_TH, by_first = step_back(wide, kept, [by_gate_TI, by_up_TI], by_input=ctx.needs_input_grad[0])
        return None if by_x_TH is None else by_x_TH.view(ctx.shape), None, *by_first, *by_last


class GatedBlock(nn.Module):
    """What `join_blocks` puts in a block's place; it takes the block's layers over, under their names."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        for name in (*LAYERS, "act_fn"):
            setattr(self, name, getattr(block, name))

    def forward(self, x: Tensor) -> Tensor:
        """The block's output for x, (..., H)."""
        layers: list[Any] = [getattr(self, name) for name in LAYERS]
        if torch.is_grad_enabled() and all(isinstance(one, OneAdapter) and one.is_plain() for one in layers):
            adapters = [weight for one in layers for weight in one.adapter()]
            output: Tensor = GatedProducts.apply(x, layers, *adapters)  # type: ignore[no-untyped-call]
            return output
        gate, up, down = layers
        active: Any = self.act_fn
        output = down(active(gate(x)) * up(x))
        return output


def join_blocks(model: nn.Module) -> int:
    """Put `GatedBlock` in place of each block that computes what it does and bears adapters; returns how many."""
    count = 0
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if not isinstance(child, GatedBlock) and is_gated(child):
                setattr(parent, name, GatedBlock(child))
                count += 1
    return count


def is_gated(block: Any) -> bool:
    """Whether a block's three layers bear our adapters and it joins them as `GatedBlock` does."""
    if not all(isinstance(getattr(block, name, None), OneAdapter) for name in LAYERS):
        return False
    active = getattr(block, "act_fn", None)
    known = isinstance(active, nn.SiLU) or type(active).__name__ == "SiLUActivation"
    kind: Any = type(block)
    return known and {name for name, _ in block.named_children()} == {*LAYERS, "act_fn"} and joins_plainly(kind)


@lru_cache(maxsize=32)
def joins_plainly(kind: Hashable) -> bool:
    """Whether a class's forward is down(act(gate(x)) * up(x)), tried with known functions in its layers' places."""
    forward: Any = kind.forward  # type: ignore[attr-defined]
    layers = SimpleNamespace(
        gate_proj=lambda x: x + 1, up_proj=lambda x: 2 * x, down_proj=lambda x: x - 3, act_fn=nn.functional.silu
    )
    x = torch.linspace(-2, 2, 9, device="cpu")
    try:
        found = forward(layers, x)
    except (AttributeError, TypeError):
        return False
    return isinstance(found, Tensor) and torch.allclose(found, nn.functional.silu(x + 1) * (2 * x) - 3)
