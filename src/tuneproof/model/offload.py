"""Frozen layers in host memory, streamed to the device a block ahead of their use: a model larger than the card trains.

Only weights that an adapter stands beside are moved: `LoraProducts` reads them when it multiplies, forward and
backward, and keeps none of them. Embeddings, norms, head and adapter stay on the device. The blocks of a decoder are
used in order, up in the forward and down in the backward pass, so the next one is on its way while one is computed; at
most two are on the device. Every step reads all weights over the bus twice, three times with recomputation.

    base = load_base(name, device="cpu", dtype="bfloat16")
    model = add_adapter(base.model, ...)
    offload_layers(model, "cuda")
    ...
    stop_stream(model)                            # the weights are the layers' own again, on the host
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tuneproof.model.lora import LoraLinear


class Stream:
    """Blocks of weights, of which the one in use and the next one are on the device."""

    def __init__(self, blocks: Sequence[Sequence[nn.Parameter]], device: torch.device) -> None:
        self.device = device
        self.blocks = blocks
        self.kept: list[list[Tensor]] = []
        """The weights in host memory, which are never changed."""
        self.copied: dict[int, Any] = {}
        """Block -> an event after its copy; None on a device without streams."""
        self.at = 0
        self.hooks: list[Any] = []
        pin = device.type == "cuda"
        self._copier: Any = torch.cuda.Stream(device) if pin else None
        for block in blocks:
            # One after the other: pinned memory is a copy, and the host holds no more than one block twice.
            self.kept.append([_keep(weight, pin=pin) for weight in block])
            _drop(block, device)

    def use(self, at: int) -> None:
        """Have block `at` on the device, start the next one in the direction of travel, and drop all others."""
        if at == self.at and at in self.copied:
            # Asked again, by the recomputation of what its gradient's hook has asked for: the way stays the same.
            return
        wanted = [at, self._find_next(at)]
        self.at = at
        for other in [one for one in self.copied if one not in wanted]:
            _drop(self.blocks[other], self.device)
            del self.copied[other]
        self._copy(at)
        if self.copied[at] is not None:
            torch.cuda.current_stream(self.device).wait_event(self.copied[at])
        self._copy(wanted[1])

    def close(self) -> None:
        """Give the layers their weights back, on the host, and ask for nothing any more."""
        for hook in self.hooks:
            hook.remove()
        for block, kept in zip(self.blocks, self.kept, strict=True):
            for weight, host in zip(block, kept, strict=True):
                weight.data = host
        self.copied.clear()

    def _find_next(self, at: int) -> int:
        """The block after `at`: at the top the way turns where gradients are wanted, and begins anew where not."""
        last = len(self.blocks) - 1
        if at == last:
            return max(0, last - 1) if torch.is_grad_enabled() else 0
        return at + 1 if at == 0 or at >= self.at else at - 1

    def _copy(self, at: int) -> None:
        if at in self.copied:
            return
        if self._copier is None:
            self._fill(at)
            self.copied[at] = None
            return
        # What is computed now may still read the memory that the copies are given. By this wait alone it is safe: the
        # memory is the copier's, who gets it back as soon as a block is dropped, so that two blocks are never three.
        self._copier.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self._copier):
            self._fill(at)
        self.copied[at] = self._copier.record_event()

    def _fill(self, at: int) -> None:
        # A copy that is made while answers are must serve in training, too.
        with torch.inference_mode(False):
            for weight, kept in zip(self.blocks[at], self.kept[at], strict=True):
                weight.data = kept.to(self.device, non_blocking=True, copy=True)


def offload_layers(model: nn.Module, device: str) -> Stream:
    """Move the model to `device`, but for frozen weights beside adapters, which are streamed there block by block."""
    layers = find_layers(model)
    stream = Stream([list_streamed([layer]) for layer in layers], torch.device(device))
    model.to(device)
    for at, layer in enumerate(layers):
        stream.hooks += [
            layer.register_forward_pre_hook(lambda module, inputs, at=at: stream.use(at)),
            layer.register_forward_hook(lambda module, inputs, output, at=at: _watch(stream, at, output)),
        ]
    model._stream = stream  # type: ignore[assignment]
    return stream


def stop_stream(model: nn.Module) -> None:
    """Undo `offload_layers`, but for where the rest of the model lies; nothing where it was not called."""
    stream = model.__dict__.pop("_stream", None)
    if stream is not None:
        stream.close()


def list_blocks(model: nn.Module) -> list[list[nn.Parameter]]:
    """The weights that would be streamed, block by block."""
    return [list_streamed([layer]) for layer in find_layers(model)]


def list_streamed(layers: Iterable[nn.Module]) -> list[nn.Parameter]:
    """Frozen weights beside adapters."""
    modules = (module for layer in layers for module in layer.modules())
    return [_as_parameter(module.read_weight()) for module in modules if isinstance(module, LoraLinear)]


def find_layers(model: nn.Module) -> nn.ModuleList:
    """The blocks: the longest list of modules that lies in no other, as transformers' decoders keep their layers; a
    layer may have a list of experts, which is longer."""
    lists = [one for one in model.modules() if isinstance(one, nn.ModuleList)]
    inner = {below for one in lists for below in one.modules() if below is not one}
    return max((one for one in lists if one not in inner), key=len)


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
    with torch.inference_mode(False):
        for weight in block:
            weight.data = torch.empty(0, dtype=weight.dtype, device=device)
