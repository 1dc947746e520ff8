"""Frozen layers in host memory, streamed to the device a block ahead of their use: a model larger than the card trains.

Only weights that an adapter stands beside are moved: `LoraProducts` reads them when it multiplies, forward and
backward, and keeps none of them. Embeddings, norms, head and adapter stay on the device. The blocks of a decoder are
used in order, up in the forward and down in the backward pass, so the next one is on its way while one is computed; at
most two are on the device. Every step reads all weights over the bus twice, three times with recomputation.

    base = load_base(name, device="cpu", dtype="bfloat16")
    model = add_adapter(base.model, ...)
    offload_layers(model, "cuda")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tuneproof.model.lora import LoraLinear


class Stream:
    """Blocks of weights, of which the one in use and the next one are on the device."""

    def __init__(self, blocks: Sequence[Sequence[nn.Parameter]], device: torch.device) -> None:
        self.device = device
        self.blocks = blocks
        pin = device.type == "cuda"
        self.kept = [[_keep(weight, pin=pin) for weight in block] for block in blocks]
        """The weights in host memory, which are never changed."""
        self.copied: dict[int, Any] = {}
        """Block -> an event after its copy; None on a device without streams."""
        self.at = 0
        self._copier: Any = torch.cuda.Stream(device) if pin else None
        for block in blocks:
            _drop(block, device)

    def use(self, at: int) -> None:
        """Have block `at` on the device, start the next one in the direction of travel, and drop all others."""
        following = at + 1 if at >= self.at else at - 1
        self.at = at
        wanted = [at, *([following] if 0 <= following < len(self.blocks) else [])]
        for other in [one for one in self.copied if one not in wanted]:
            _drop(self.blocks[other], self.device)
            del self.copied[other]
        self._copy(at)
        if self.copied[at] is not None:
            torch.cuda.current_stream(self.device).wait_event(self.copied[at])
        for one in wanted[1:]:
            self._copy(one)

    def _copy(self, at: int) -> None:
        if at in self.copied:
            return
        if self._copier is None:
            self._fill(at)
            self.copied[at] = None
            return
        # What is computed now may still read the memory that the copies are given.
        self._copier.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self._copier):
            self._fill(at)
        self.copied[at] = self._copier.record_event()

    def _fill(self, at: int) -> None:
        for weight, kept in zip(self.blocks[at], self.kept[at], strict=True):
            weight.data = kept.to(self.device, non_blocking=True, copy=True)
            if weight.is_cuda:
                weight.data.record_stream(torch.cuda.current_stream(self.device))


def offload_layers(model: nn.Module, device: str) -> Stream:
    """Move the model to `device`, but for the frozen weights beside adapters, which are streamed there block by block.

    A block is an element of the longest list of modules, as transformers' decoders keep their layers.
    """
    layers = max((one for one in model.modules() if isinstance(one, nn.ModuleList)), key=len)
    blocks = [[module.frozen()[0] for module in layer.modules() if isinstance(module, LoraLinear)] for layer in layers]
    stream = Stream([[_as_parameter(weight) for weight in block] for block in blocks], torch.device(device))
    model.to(device)
    for at, layer in enumerate(layers):
        layer.register_forward_pre_hook(lambda module, inputs, at=at: stream.use(at))
        layer.register_forward_hook(lambda module, inputs, output, at=at: _watch(stream, at, output))
    return stream


def _watch(stream: Stream, at: int, output: Any) -> None:
    """Use the block again when the gradient by its output is there, which is before its backward begins."""
    states = output[0] if isinstance(output, tuple) else output
    if states.requires_grad:
        states.register_hook(lambda by_states: stream.use(at))


def _as_parameter(weight: Tensor) -> nn.Parameter:
    assert isinstance(weight, nn.Parameter)
    return weight


def _keep(weight: Tensor, *, pin: bool) -> Tensor:
    host = weight.data.cpu()
    return host.pin_memory() if pin else host


def _drop(block: Sequence[nn.Parameter], device: torch.device) -> None:
    """Leave nothing of the block on the device; whoever used it now would fail and not read something else."""
    for weight in block:
        weight.data = torch.empty(0, dtype=weight.dtype, device=device)
