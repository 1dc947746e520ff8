"""The merged model, one tensor at a time: W + (alpha / r) B A, added in fp32 and cast once by whoever writes it.

In: a `Source` and its adapter. Out: the names and shapes of all tensors, then each tensor on demand. No model is ever
loaded: a tensor of the base is read from its safetensors file when its turn comes, so that memory holds the largest
tensor a few times over and not the model.

W is the weight that the run computed with, not the one on disk: cast to the run's dtype first, and where the base was
held in 4 bits, quantised and dequantised as bitsandbytes does it. The adapter was trained on top of that rounding.

    merger = Merger(source, load_adapter(source.adapter))
    for slot in merger.slots: merger.read(slot)     # fp32
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers import AutoModelForCausalLM
from transformers.quantizers.base import get_keys_to_not_convert

from tuneproof.errors import ModelError
from tuneproof.export.adapter import Adapter, make_delta
from tuneproof.export.source import Source, locate_base
from tuneproof.model.load import load_config

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"


class Slot(NamedTuple):
    """A tensor of the merged model."""

    name: str
    shape: tuple[int, ...]
    file: Path

    @property
    def module(self) -> str:
        """The module that it belongs to."""
        return self.name.rpartition(".")[0]

    @property
    def size(self) -> int:
        """Numbers in it."""
        return int(torch.Size(self.shape).numel())


class Merger:
    """Reads the base's tensors and adds the adapter. Raises ModelError when the two do not belong together."""

    def __init__(self, source: Source, adapter: Adapter) -> None:
        self.source = source
        self.adapter = adapter
        self.config: Any = load_config(source.model, source.revision)
        self.slots = list_slots(locate_base(source.model, source.revision), self.config)
        weights = {slot.module: slot for slot in self.slots if slot.name.endswith(".weight")}
        for module, pair in adapter.pairs.items():
            shape = (pair.a.shape[1], pair.b.shape[0]) if pair.transposed else (pair.b.shape[0], pair.a.shape[1])
            if module not in weights or weights[module].shape != shape:
                raise ModelError("export.other_base", where=source.model, module=module, shape=list(shape))
        self._rounded = list_quantized(self.config) if source.quantization == "nf4" else set()
        self._open: dict[Path, Any] = {}

    def read(self, slot: Slot) -> Tensor:
        """The tensor, in fp32."""
        weight: Tensor = self._handle(slot.file).get_tensor(slot.name).to(getattr(torch, self.source.dtype))
        is_weight = slot.name.endswith(".weight")
        if is_weight and slot.module in self._rounded:
            weight = round_nf4(weight, self.source.device)
        weight = weight.float()
        if is_weight and slot.module in self.adapter.pairs:
            # Not in place: the tensor may be the mapped file itself, and would be another one when it is read again.
            weight = weight + make_delta(self.adapter.pairs[slot.module])
        return weight

    def _handle(self, file: Path) -> Any:
        if file not in self._open:
            # One at a time: slots come sorted by file, and a mapped file counts as memory in use on some systems.
            self._open = {file: safe_open(file, framework="pt")}
        return self._open[file]


def list_slots(folder: Path, config: Any) -> list[Slot]:
    """Every tensor of the base's safetensors files, layers in their order; a head tied to the embeddings is left out.

    Raises ModelError when the folder has no safetensors files or one is damaged.
    """
    tied = bool(getattr(config, "tie_word_embeddings", False))
    slots = []
    for file in list_files(folder):
        with open_weights(file) as weights:
            for name in weights.keys():  # noqa: SIM118 - no dict
                if not (tied and name == "lm_head.weight"):
                    slots.append(Slot(name, tuple(weights.get_slice(name).get_shape()), file))
    return sorted(slots, key=lambda slot: (slot.file.name, order_name(slot.name)))


def list_files(folder: Path) -> list[Path]:
    """The base's safetensors files. Raises ModelError when there are none."""
    if (folder / INDEX).is_file():
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return [folder / name for name in sorted(set(index["weight_map"].values()))]
    if not (folder / SINGLE).is_file():
        raise ModelError("export.no_safetensors", where=str(folder))
    return [folder / SINGLE]


@contextmanager
def open_weights(file: Path) -> Iterator[Any]:
    """A safetensors file. Raises ModelError when it cannot be read."""
    try:
        with safe_open(file, framework="pt") as weights:
            yield weights
    except (SafetensorError, OSError) as error:
        raise ModelError("model.cannot_load", where=str(file), name=file.name, why=str(error)) from error


def order_name(name: str) -> list[tuple[int, int, str]]:
    """A key by which layer 2 comes before layer 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"[.]", name)]


def list_quantized(config: Any) -> set[str]:
    """Modules that bitsandbytes holds in 4 bits: every linear layer but the head (transformers' own rule)."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    kept = set(get_keys_to_not_convert(model))
    return {name for name, module in model.named_modules() if isinstance(module, nn.Linear) and name not in kept}


def round_nf4(weight: Tensor, device: str) -> Tensor:
    """The weight after 4-bit NormalFloat with double quantisation (QLoRA, arXiv 2305.14314), as the run held it."""
    from bitsandbytes import functional
    from bitsandbytes.nn.modules import Params4bit

    make: Any = Params4bit
    packed = make(weight, requires_grad=False, quant_type="nf4", compress_statistics=True).to(device)
    opened: Tensor = functional.dequantize_4bit(packed.data, packed.quant_state)
    return opened.to("cpu", weight.dtype)
