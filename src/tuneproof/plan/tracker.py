"""Live bytes of whatever runs inside: every tensor storage is followed from its first operation to its end.

Works on plain `meta` tensors (a prediction, no memory is used) and on real ones (the same count, measured), so that one
can be held against the other. Byte-exact against real CPU steps: 27 of 27 settings (docs/evidence.md, `Memory`).
A storage is followed by a weak reference: torch keeps its Python side alive as long as its memory.

    with Tracker("meta", vocabulary=49152) as tracker:
        tracker.follow(weight, "weights")
        ...
    tracker.peak, tracker.parts, tracker.events
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from tuneproof.plan.archive import Event
from tuneproof.plan.kernels import MATRIX_PRODUCTS, WORKSPACES
from tuneproof.plan.shapes import make_result


class Tracker(TorchDispatchMode):
    """Counts bytes of live storages on one kind of device, by part, and keeps the parts of the peak moment.

    What an operation makes is booked under `making`; tensors whose last axis is the vocabulary are logits. `round_to`:
    bytes a block is rounded up to (CUDA's allocator: 512). `answer`: what a question about values (`if mask.all()`) is
    told where there are none, as on `meta`. `workspaces`: count what CUDA kernels take beside their results.
    """

    def __init__(
        self, device: str, *, vocabulary: int, round_to: int = 1, answer: bool = False, workspaces: bool = False
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.device = device
        self.making = "activations"
        self.live: dict[str, int] = {}
        self.total = 0
        self.peak = 0
        self.parts: dict[str, int] = {}
        self.events: list[Event] = []
        self._vocabulary = vocabulary
        self._round_to = round_to
        self._answer = answer
        self._workspaces = workspaces
        self._storages: dict[int, tuple[int, str, int, weakref.ref[Any]]] = {}
        self._dequantised: dict[int, int] = {}
        self._count = 0

    def follow(self, tensor: Tensor, part: str, size: int | None = None) -> None:
        """Count a tensor's storage under `part`, as `size` bytes if given; one that is known is moved there."""
        if tensor.device.type != self.device:
            return
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._storages:
            self._move(key, part)
            return
        size = self._round(storage.nbytes() if size is None else size)
        self._count += 1
        gone = weakref.ref(storage, lambda _: self._drop(key))
        self._storages[key] = (size, part, self._count, gone)
        self._add(part, size)
        if size:
            self.events.append((self._count, size))

    def follow_quantised(self, weight: Tensor, size: int) -> None:
        """Count a weight that lies in memory as `size` bytes and is dequantised whole for each product with it."""
        self.follow(weight, "weights", size)
        self._dequantised[weight.untyped_storage()._cdata] = weight.numel() * weight.element_size()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run one operation and book what it made."""
        name = func._schema.name
        if name == "aten::_local_scalar_dense" and args[0].is_meta and args[0].dtype == torch.bool:
            return self._answer
        given = (kwargs or {}).get("out")
        result = (given if given is not None else make_result(name, args)) if self.device == "meta" else None
        if result is None:
            result = func(*args, **(kwargs or {}))
        for made in tree_iter(result):
            if isinstance(made, Tensor) and made.untyped_storage()._cdata not in self._storages:
                is_logits = made.dim() > 1 and made.shape[-1] == self._vocabulary
                self.follow(made, "logits" if is_logits else self.making)
        self._visit_kernel(name, args)
        return result

    def _visit_kernel(self, name: str, args: tuple[Any, ...]) -> None:
        """Book what a kernel takes for as long as it runs."""
        size = 0
        if self._workspaces and name in WORKSPACES:
            workspace: Callable[[tuple[Any, ...]], int] = WORKSPACES[name]
            size = workspace(args)
        if self._dequantised and name in MATRIX_PRODUCTS:
            operands = [one for one in args if isinstance(one, Tensor)]
            size += max(self._dequantised.get(one.untyped_storage()._cdata, 0) for one in operands)
        if size:
            size = self._round(size)
            self._count += 1
            self._add("temporaries", size)
            self._add("temporaries", -size)
            self.events += [(self._count, size), (self._count, 0)]

    def _round(self, size: int) -> int:
        return -(-size // self._round_to) * self._round_to

    def _add(self, part: str, size: int) -> None:
        self.live[part] = self.live.get(part, 0) + size
        self.total += size
        if self.total > self.peak:
            self.peak = self.total
            self.parts = dict(self.live)

    def _move(self, key: int, part: str) -> None:
        size, old, number, gone = self._storages[key]
        if old != part:
            self.live[old] -= size
            self.live[part] = self.live.get(part, 0) + size
            self._storages[key] = (size, part, number, gone)

    def _drop(self, key: int) -> None:
        size, part, number, _ = self._storages.pop(key)
        self._dequantised.pop(key, None)
        self.live[part] -= size
        self.total -= size
        if size:
            self.events.append((number, 0))
