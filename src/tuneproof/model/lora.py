"""LoRA without waste: PEFT's layer with its products written out, and those of neighbours that share an input as one.

PEFT's own forward leaves the work to autograd: in 16 bit it keeps an fp32 copy of the input for each adapter, and at
any precision it keeps the product by B and its scaled copy. Here a layer keeps its input, which its neighbours keep as
well, and r numbers a token. q, k and v, and gate and up, read the same input: their A-projections are one product,
forward and backward. Weights in NF4 are multiplied by bitsandbytes' own product, and dequantised once more in the
backward pass. The adapter is PEFT's in memory and on disk; whatever is out of the ordinary (dropout, several adapters,
a variant of LoRA, weights in 8 bits) takes PEFT's own way.

    config = LoraConfig(...)
    config._register_custom_module({nn.Linear: make_layer})
    model = get_peft_model(base, config)
    join_neighbours(model)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from peft.tuners.lora import Linear
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

NEIGHBOURS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Linear layers of one module that are given one input. A model that does otherwise is served one by one: an input is
recognised, not assumed."""


class LoraProducts(torch.autograd.Function):
    """y_i = x W_i' + b_i + s_i (x A_i') B_i' for layers with one input; W_i and b_i are frozen.

    Kept for the backward: x, the products with A, and A and B in x's dtype.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Sequence[OneAdapter], *adapters: Tensor) -> tuple[Tensor, ...]:
        """`adapters`: A_1, B_1, A_2, B_2 ... of shapes (r, H) and (O, r). Returns one output a layer, (..., O)."""
        x_TH = x.reshape(-1, x.shape[-1])
        downs, scales = adapters[::2], [layer.scaling[layer.active_adapters[0]] for layer in layers]
        down_RH = (torch.cat(downs) if len(downs) > 1 else downs[0]).to(x.dtype)
        ups = [(scale * up_Or).to(x.dtype) for scale, up_Or in zip(scales, adapters[1::2], strict=True)]
        inner_TR = x_TH @ down_RH.t()
        outputs = []
        ranks = [down_rH.shape[0] for down_rH in downs]
        for layer, up_Or, inner_Tr in zip(layers, ups, inner_TR.split(ranks, 1), strict=True):
            output_TO = layer.multiply(x_TH)
            outputs.append(output_TO.addmm_(inner_Tr, up_Or.t()).view(*x.shape[:-1], -1))
        ctx.save_for_backward(x_TH, inner_TR, down_RH, *ups)
        ctx.layers, ctx.ranks, ctx.scales, ctx.shape = layers, ranks, scales, x.shape
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients by x, A_i and B_i."""
        x_TH, inner_TR, down_RH, *ups = ctx.saved_tensors
        by_x_TH: Tensor | None = None
        by_inner, by_up = [], []
        outers = [by_y.reshape(x_TH.shape[0], -1) for by_y in outer]
        for at, (layer, by_y_TO, up_Or) in enumerate(zip(ctx.layers, outers, ups, strict=True)):
            by_inner.append(by_y_TO @ up_Or)
            by_up.append((by_y_TO.t() @ inner_TR.split(ctx.ranks, 1)[at]).float().mul_(ctx.scales[at]))
            if ctx.needs_input_grad[0]:
                weight_OH = layer.read_weight()
                by_x_TH = by_y_TO @ weight_OH if by_x_TH is None else by_x_TH.addmm_(by_y_TO, weight_OH)
                # Of dequantised weights one layer's are there at a time.
                del weight_OH
        by_inner_TR = torch.cat(by_inner, 1) if len(by_inner) > 1 else by_inner[0]
        by_down = (by_inner_TR.t() @ x_TH).float().split(ctx.ranks)
        by_x = None if by_x_TH is None else by_x_TH.addmm_(by_inner_TR, down_RH).view(ctx.shape)
        return by_x, None, *(by for pair in zip(by_down, by_up, strict=True) for by in pair)


if TYPE_CHECKING:
    # What PEFT's layers of plain and of quantised weights have in common.
    Adapted = Linear
else:
    Adapted = object


class OneAdapter(Adapted):
    """PEFT's LoRA layer, as `LoraProducts` computes it; mixed into PEFT's class for the weights that it holds."""

    neighbours: Neighbours | None = None

    def forward(self, x: Tensor, *args: Any, **options: Any) -> Tensor:
        """Output of shape (..., O) for an input of shape (..., H)."""
        # Without gradients too: an adapter is measured and served (model/mixture) in the type it was trained in.
        if args or options or not self.is_plain():
            output: Tensor = super().forward(x, *args, **options)
            return output
        return (self.neighbours or Neighbours([self])).compute(self, x)

    def is_plain(self) -> bool:
        """Whether the layer does nothing but add one adapter to its product."""
        active = self.active_adapters
        return (
            len(active) == 1
            and active[0] in self.lora_A
            and not (self.disable_adapters or self.merged or self.lora_variant)
            and (not self.training or isinstance(self.lora_dropout[active[0]], nn.Identity))
        )

    def multiply(self, x_TH: Tensor) -> Tensor:
        """The frozen layer's product, (T, O), in memory of its own."""
        base: Any = self.get_base_layer()
        return nn.functional.linear(x_TH, base.weight, base.bias)

    def read_weight(self) -> Tensor:
        """The frozen layer's weight, (O, H)."""
        weight: Tensor = self.get_base_layer().weight  # type: ignore[assignment]
        return weight

    def adapter(self) -> tuple[Tensor, Tensor]:
        """A and B of the active adapter, of shapes (r, H) and (O, r)."""
        (name,) = self.active_adapters
        down: Any = self.lora_A[name]
        up: Any = self.lora_B[name]
        return down.weight, up.weight


class LoraLinear(OneAdapter, Linear):
    """On a plain linear layer."""


@lru_cache(maxsize=1)
def find_four_bit_layer() -> Any:
    """The same on weights in NF4: a class, which takes bitsandbytes to be made."""
    from bitsandbytes.functional import dequantize_4bit
    from peft.tuners.lora.bnb import Linear4bit

    class LoraLinear4bit(OneAdapter, Linear4bit):
        """On a linear layer in 4 bits."""

        def multiply(self, x_TH: Tensor) -> Tensor:
            """The frozen layer's product, (T, O)."""
            product: Tensor = self.get_base_layer()(x_TH)
            return product

        def read_weight(self) -> Tensor:
            """The weight, dequantised: (O, H)."""
            held: Any = self.get_base_layer().weight
            weight: Tensor = dequantize_4bit(held.data, held.quant_state)
            return weight

    return LoraLinear4bit


class Neighbours:
    """Layers that are given one input, one after the other: the first that is asked computes for all of them."""

    def __init__(self, layers: Sequence[OneAdapter]) -> None:
        self.layers = layers
        self.x: Tensor | None = None
        self.waiting: dict[OneAdapter, Tensor] = {}
        """Outputs that were not asked for yet."""

    def compute(self, layer: OneAdapter, x: Tensor) -> Tensor:
        """The layer's output for x."""
        if self.x is not x or layer not in self.waiting:
            layers = self.layers if all(one.is_plain() for one in self.layers) else [layer]
            adapters = [weight for one in layers for weight in one.adapter()]
            outputs = LoraProducts.apply(x, layers, *adapters)  # type: ignore[no-untyped-call]
            self.x, self.waiting = x, dict(zip(layers, outputs, strict=True))
        output = self.waiting.pop(layer)
        if not self.waiting:
            self.x = None
        return output


def make_layer(target: Any, name: str, *, config: Any, **options: Any) -> OneAdapter | None:
    """The layer to put in place of `target`; None, and so PEFT's own, where we have none for such weights."""
    if options.get("parameter_name") is not None:
        return None
    if type(target) is nn.Linear or getattr(target, "stands_for_nf4", False):
        return LoraLinear(target, name, config=config, **options)
    if type(target).__name__ == "Linear4bit":
        how = {
            "compute_dtype": target.compute_dtype,
            "compress_statistics": target.weight.compress_statistics,
            "quant_type": target.weight.quant_type,
        }
        layer: OneAdapter = find_four_bit_layer()(target, name, config=config, **options, **how)
        return layer
    return None


def join_neighbours(model: nn.Module) -> None:
    """Let layers that share an input share its product with A."""
    for module in model.modules():
        for names in NEIGHBOURS:
            layers = [layer for name in names if isinstance(layer := getattr(module, name, None), OneAdapter)]
            if len(layers) > 1:
                neighbours = Neighbours(layers)
                for layer in layers:
                    layer.neighbours = neighbours
