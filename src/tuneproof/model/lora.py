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
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from peft.tuners.lora import Linear
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

NEIGHBOURS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Linear layers of one module that are given one input. A model that does otherwise is served one by one: an input is
recognised, not assumed."""


class Kept(NamedTuple):
    """What the backward of some layers with one input needs, beside their weights."""

    x_TH: Tensor
    inner_TR: Tensor
    """Products with all A, side by side."""
    down_RH: Tensor
    """All A in x's dtype, one below the other."""
    ups: tuple[Tensor, ...]
    """s B of each layer in x's dtype, (O, r)."""


def multiply_layers(
    x_TH: Tensor, layers: Sequence[OneAdapter], adapters: Sequence[Tensor]
) -> tuple[list[Tensor], Kept]:
    """y_i = x W_i' + b_i + s_i (x A_i') B_i' of layers with one input, each (T, O). `adapters`: A_1, B_1, A_2, ..."""
    downs, ups = adapters[::2], []
    down_RH = downs[0].to(x_TH.dtype) if len(downs) == 1 else _join(downs, x_TH.dtype)
    for layer, up_Or in zip(layers, adapters[1::2], strict=True):
        # Multiplied and rounded in one kernel: a thousand small ones a step keep the processor busier than a card.
        ups.append(torch.mul(up_Or, layer.scale(), out=torch.empty_like(up_Or, dtype=x_TH.dtype)))
    inner_TR = x_TH @ down_RH.t()
    outputs = []
    for layer, up_Or, inner_Tr in zip(layers, ups, inner_TR.split(_count_ranks(ups), 1), strict=True):
        outputs.append(layer.multiply(x_TH).addmm_(inner_Tr, up_Or.t()))
    return outputs, Kept(x_TH, inner_TR, down_RH, tuple(ups))


def step_back(
    layers: Sequence[OneAdapter], kept: Kept, outer: Sequence[Tensor], *, by_input: bool
) -> tuple[Tensor | None, list[Tensor]]:
    """Gradients by x, (T, H), where it is wanted, and by A_1, B_1, A_2, B_2 ... in fp32."""
    by_x_TH: Tensor | None = None
    by_inner, by_up, ranks = [], [], _count_ranks(kept.ups)
    inners = kept.inner_TR.split(ranks, 1)
    for layer, by_y_TO, up_Or, inner_Tr in zip(layers, outer, kept.ups, inners, strict=True):
        by_inner.append(by_y_TO @ up_Or)
        by_up.append((by_y_TO.t() @ inner_Tr).float().mul_(layer.scale()))
        if by_input:
            weight_OH = layer.read_weight()
            by_x_TH = by_y_TO @ weight_OH if by_x_TH is None else by_x_TH.addmm_(by_y_TO, weight_OH)
            # Of dequantised weights one layer's are there at a time.
            del weight_OH
    by_inner_TR = torch.cat(by_inner, 1) if len(by_inner) > 1 else by_inner[0]
    by_down = (by_inner_TR.t() @ kept.x_TH).float().split(ranks)
    if by_x_TH is not None:
        by_x_TH.addmm_(by_inner_TR, kept.down_RH)
    return by_x_TH, [by for pair in zip(by_down, by_up, strict=True) for by in pair]


def _join(parts: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
    rows = sum(part.shape[0] for part in parts)
    return torch.cat(list(parts), out=parts[0].new_empty((rows, *parts[0].shape[1:]), dtype=dtype))


def _count_ranks(ups: Sequence[Tensor]) -> list[int]:
    return [up_Or.shape[1] for up_Or in ups]


class LoraProducts(torch.autograd.Function):
    """`multiply_layers` with its gradient. Kept for the backward: x, the products with A, A and s B in x's dtype."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Sequence[OneAdapter], *adapters: Tensor) -> tuple[Tensor, ...]:
        """`adapters`: A_1, B_1, A_2, B_2 ... of shapes (r, H) and (O, r). Returns one output a layer, (..., O)."""
        outputs, kept = multiply_layers(x.reshape(-1, x.shape[-1]), layers, adapters)
        ctx.save_for_backward(*kept[:3], *kept.ups)
        ctx.layers, ctx.shape = layers, x.shape
        return tuple(output_TO.view(*x.shape[:-1], -1) for output_TO in outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients by x, A_i and B_i."""
        x_TH, inner_TR, down_RH, *ups = ctx.saved_tensors
        outers = [by_y.reshape(x_TH.shape[0], -1) for by_y in outer]
        kept = Kept(x_TH, inner_TR, down_RH, tuple(ups))
        by_x_TH, by_adapters = step_back(ctx.layers, kept, outers, by_input=ctx.needs_input_grad[0])
        return None if by_x_TH is None else by_x_TH.view(ctx.shape), None, *by_adapters


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

    def scale(self) -> float:
        """What the active adapter's product is multiplied by."""
        scale: float = self.scaling[self.active_adapters[0]]
        return scale

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
