"""A LoRA adapter as numbers: for each module of the base the two factors of what is added to its weight.

In: a folder in PEFT's layout. Out: an `Adapter`; `make_delta` gives (alpha / r) B A in fp32, of the weight's shape.

    load_adapter(Path("runs/first/adapter")).pairs["model.layers.0.self_attn.q_proj"].scaling
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from tuneproof.errors import RunError

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
PREFIX = "base_model.model."
PLAIN: dict[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "use_dora": (False, None),
    "bias": ("none", None),
    "modules_to_save": (None, []),
    "trainable_token_indices": (None,),
    "layer_replication": (None,),
}
"""Keys of PEFT's config -> the values of a plain LoRA adapter: those that training here writes, and that every target
can carry."""


class Pair(NamedTuple):
    """What is added to one weight: `scaling` x B A. A has the shape (r, in), B (out, r); both fp32."""

    a: Tensor
    b: Tensor
    scaling: float
    transposed: bool = False
    """The base keeps this weight as (in, out): GPT-2's Conv1D."""

    @property
    def rank(self) -> int:
        """r."""
        return self.a.shape[0]


class Adapter(NamedTuple):
    """All pairs, by the name of the module in the base."""

    pairs: dict[str, Pair]
    config: dict[str, Any]


def load_adapter(folder: Path) -> Adapter:
    """Read the adapter. Raises RunError where a file is missing or damaged, or it is no plain LoRA adapter."""
    config = read_adapter_config(folder)
    for key, plain in PLAIN.items():
        if config.get(key, plain[0]) not in plain:
            raise RunError("export.not_plain", where=str(folder / CONFIG), key=key, value=config[key])
    try:
        weights = load_file(folder / WEIGHTS)
    except FileNotFoundError:
        raise RunError("run.missing", where=str(folder / WEIGHTS), file=f"adapter/{WEIGHTS}") from None
    except (SafetensorError, OSError) as error:
        raise RunError("run.damaged", where=str(folder / WEIGHTS), why=str(error)) from error
    pairs = {}
    for name, a in weights.items():
        module, found, _ = name.removeprefix(PREFIX).partition(".lora_A.")
        if found:
            b = weights[name.replace(".lora_A.", ".lora_B.")]
            scaling = find_scaling(config, a.shape[0])
            pairs[module] = Pair(a.float(), b.float(), scaling, bool(config.get("fan_in_fan_out")))
    if len(pairs) * 2 != len(weights):
        raise RunError("export.not_plain", where=str(folder / WEIGHTS), key="tensors", value=len(weights))
    return Adapter(pairs, config)


def read_adapter_config(folder: Path) -> dict[str, Any]:
    """PEFT's config of the adapter. Raises RunError when it is missing or damaged."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict) or not isinstance(config.get("lora_alpha"), int | float):
            raise ValueError("lora_alpha")
    except FileNotFoundError:
        raise RunError("run.missing", where=str(path), file=f"adapter/{CONFIG}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError("run.damaged", where=str(path), why=str(error)) from error
    return config


def find_scaling(config: dict[str, Any], rank: int) -> float:
    """What B A is multiplied by: alpha / r, with rank-stabilised LoRA alpha / sqrt(r) (arXiv 2312.03732)."""
    return float(config["lora_alpha"]) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def make_delta(pair: Pair) -> Tensor:
    """What is added to the weight, in fp32, as the base keeps it: shape (out, in), or (in, out) where transposed."""
    delta = torch.matmul(pair.b, pair.a) * pair.scaling
    return delta.T if pair.transposed else delta
