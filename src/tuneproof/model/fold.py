"""An adapter folded into the weights while answers are made, and the weights as they were, bit for bit, afterwards.

W + s (alpha / r) B A stands in W's place, so that a new token takes no product more than the base's. Beside each
linear layer an adapter is two small products, a scaling and a sum, which cost a CPU much time for little arithmetic
(benchmarks/folding.py measures it). Only where all of it is fp32: the sum then differs by rounding, as two orders of
adding do. In bf16 it would be rounded to 8 bits, and the answers would be another model's than the adapter's.

    with fold_adapter(model):
        generate_answers(model, prompts, ...)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from torch import nn


@contextmanager
def fold_adapter(model: nn.Module) -> Iterator[None]:
    """Fold the active adapter into the weights; nothing where one of them is not fp32, or none is active.

    Takes one more copy of the layers that the adapter is on. Adapter and weights must not be changed meanwhile.
    """
    layers: list[Any] = [module for module in model.modules() if isinstance(module, LoraLayer)]
    kept: list[tuple[Any, torch.Tensor]] = []
    try:
        if all(can_fold(layer) for layer in layers):
            for layer in layers:
                weight = layer.get_base_layer().weight
                kept.append((layer, weight.data))
                with torch.no_grad():
                    weight.data = weight.data + layer.get_delta_weight("default")
                # peft's own mark: its forward then takes the weights alone.
                layer.merged_adapters.append("default")
        yield
    finally:
        for layer, weight in kept:
            layer.get_base_layer().weight.data = weight
            layer.merged_adapters.remove("default")


def can_fold(layer: Any) -> bool:
    """Whether folding this layer changes nothing but the order of adding."""
    base = layer.get_base_layer()
    plain = type(base) is nn.Linear and base.weight.dtype == torch.float32
    return plain and not layer.disable_adapters and layer.active_adapters == ["default"] and not layer.merged
