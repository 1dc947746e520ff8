"""An adapter's GGUF file read back: its numbers in the base's order again must be the adapter's own.

Without llama.cpp that is all that can be proven of it; with llama.cpp it is asked on a base as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import torch
from torch import Tensor

from tuneproof.export.adapter import load_adapter, make_delta
from tuneproof.export.gguf.families import Family, find_family, separate_halves
from tuneproof.export.source import Source
from tuneproof.model.load import load_config
from tuneproof.records.export import Check


def check_lora(source: Source, path: Path) -> Check:
    """Whether every module's alpha / r x B A is the adapter's, and there is none more or less."""
    family = find_family(load_config(source.model, source.revision))
    pairs = load_adapter(source.adapter).pairs
    reader = gguf.GGUFReader(path)
    alpha = float(reader.fields[gguf.Keys.Adapter.LORA_ALPHA].contents())
    tensors = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader.tensors}
    for module, pair in pairs.items():
        name = family.rename(f"{module}.weight")
        a, b = tensors.pop(f"{name}.lora_a", None), tensors.pop(f"{name}.lora_b", None)
        if a is None or b is None:
            return Check(name="weights", passed=False, expected=module, found="-")
        expected = make_delta(pair)
        found = put_back(family, module, b) @ a * (alpha / a.shape[0])
        error = float((found - expected).abs().max() / expected.abs().max().clamp_min(1e-12))
        if found.shape != expected.shape or error > 1e-5:
            return Check(name="weights", passed=False, expected=module, found=f"{error:.1e}")
    if tensors:
        return Check(name="weights", passed=False, expected="-", found=next(iter(tensors)))
    return Check(name="weights", passed=True)


def put_back(family: Family, module: str, b: Tensor) -> Tensor:
    """B with its rows in transformers' order."""
    config: Any = family.config
    if family.arch == gguf.MODEL_ARCH.LLAMA and module.endswith(("q_proj", "k_proj")):
        heads = config.num_attention_heads if module.endswith("q_proj") else config.num_key_value_heads
        return separate_halves(b, heads)
    return b
