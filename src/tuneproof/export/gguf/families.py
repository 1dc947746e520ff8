"""Which models can be written as GGUF, and the settings that llama.cpp asks for: config of transformers -> metadata.

Names of keys and tensors are those of the `gguf` package (`gguf.constants`, `gguf.tensor_mapping`). What a family needs
beyond its names is written here: llama.cpp rotates pairs (2i, 2i+1) where transformers' Llama rotates (i, i + d/2), so
the rows of Llama's queries and keys change places; Qwen's stay, since llama.cpp rotates them as transformers does.

    family = find_family(config)
    family.rename("model.layers.0.self_attn.q_proj.weight")     # "blk.0.attn_q.weight"
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np
import torch
from torch import Tensor
from transformers import AutoConfig

from tuneproof.errors import ModelError

ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
}
"""`model_type` of transformers -> llama.cpp's architecture."""
ROPE_FACTORS = "rope_freqs.weight"
ROPE_TYPES = ("default", "linear", "llama3")


class Family(NamedTuple):
    """A model's family and the config of this model."""

    arch: gguf.MODEL_ARCH
    config: Any
    names: gguf.TensorNameMap

    def rename(self, name: str) -> str:
        """llama.cpp's name of a tensor. Raises ModelError for one that it does not know."""
        found = self.names.get_name(name, try_suffixes=(".weight", ".bias"))
        if found is None:
            raise ModelError("export.no_tensor_name", where=name, family=self.config.model_type)
        return str(found)

    def arrange(self, name: str, tensor: Tensor) -> Tensor:
        """The tensor (or a LoRA's B, which has the same rows) with its rows in llama.cpp's order."""
        module = name.rpartition(".")[0]
        if self.arch == gguf.MODEL_ARCH.LLAMA and module.endswith(("q_proj", "k_proj")):
            queries = module.endswith("q_proj")
            heads = self.config.num_attention_heads if queries else self.config.num_key_value_heads
            return interleave_halves(tensor, heads)
        return tensor


def interleave_halves(tensor: Tensor, heads: int) -> Tensor:
    """Rows of each head: (0, 1, ..., d/2, ...) -> (0, d/2, 1, d/2 + 1, ...)."""
    halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return halves.swapaxes(1, 2).reshape(tensor.shape)


def separate_halves(tensor: Tensor, heads: int) -> Tensor:
    """The inverse of `interleave_halves`."""
    pairs = tensor.reshape(heads, tensor.shape[0] // heads // 2, 2, *tensor.shape[1:])
    return pairs.swapaxes(1, 2).reshape(tensor.shape)


def find_family(config: Any) -> Family:
    """The family of a model. Raises ModelError for one that is not written here, or a setting that would be lost."""
    kind = config.model_type
    if kind not in ARCHITECTURES:
        raise ModelError("export.no_family", where="--to gguf", family=kind, known=", ".join(ARCHITECTURES))
    rope = read_rope(config)
    slides = getattr(config, "use_sliding_window", kind == "mistral")
    window = getattr(config, "sliding_window", None) if slides else None
    lost = {
        f"rope_type {rope['rope_type']}": rope["rope_type"] not in ROPE_TYPES,
        f"sliding_window {window}": window is not None,
        "mlp_bias": bool(getattr(config, "mlp_bias", False)),
        f"hidden_act {config.hidden_act}": config.hidden_act != "silu",
        f"partial_rotary_factor {rope.get('partial_rotary_factor')}": rope.get("partial_rotary_factor", 1.0) != 1.0,
    }
    for setting, is_lost in lost.items():
        if is_lost:
            raise ModelError("export.no_setting", where="config.json", setting=setting, family=kind)
    arch = ARCHITECTURES[kind]
    return Family(arch, config, gguf.get_tensor_name_map(arch, config.num_hidden_layers))


def read_rope(config: Any) -> dict[str, Any]:
    """The rotary settings, as transformers 5 keeps them."""
    rope = dict(getattr(config, "rope_parameters", None) or {})
    rope.setdefault("rope_type", "default")
    rope.setdefault("rope_theta", getattr(config, "rope_theta", 10000.0))
    return rope


def add_settings(writer: gguf.GGUFWriter, family: Family) -> None:
    """Shape, norm and rotary settings."""
    config = family.config
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    add_rope(writer, read_rope(config))


def add_rope(writer: gguf.GGUFWriter, rope: dict[str, Any]) -> None:
    """Base frequency and stretching of the positions."""
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])


def read_settings(path: Path) -> Any:
    """The config of the model in a GGUF file: what `add_settings` wrote, read back by its keys.

    transformers' own loader leaves out the head's size for Qwen3, and Llama 3.1's factors for all.
    """
    reader = gguf.GGUFReader(path)
    arch = str(reader.fields["general.architecture"].contents())
    found = {key: field.contents() for key, field in reader.fields.items() if key.startswith(f"{arch}.")}
    names = {tensor.name for tensor in reader.tensors}
    stretching = found.get(f"{arch}.rope.scaling.type")
    rope = {"rope_type": stretching or "default", "rope_theta": found[f"{arch}.rope.freq_base"]}
    if stretching:
        rope["factor"] = found[f"{arch}.rope.scaling.factor"]
    return AutoConfig.for_model(
        arch,
        vocab_size=found[f"{arch}.vocab_size"],
        num_hidden_layers=found[f"{arch}.block_count"],
        max_position_embeddings=found[f"{arch}.context_length"],
        hidden_size=found[f"{arch}.embedding_length"],
        intermediate_size=found[f"{arch}.feed_forward_length"],
        num_attention_heads=found[f"{arch}.attention.head_count"],
        num_key_value_heads=found[f"{arch}.attention.head_count_kv"],
        head_dim=found[f"{arch}.attention.key_length"],
        rms_norm_eps=found[f"{arch}.attention.layer_norm_rms_epsilon"],
        rope_parameters=rope,
        tie_word_embeddings="output.weight" not in names,
        attention_bias="blk.0.attn_q.bias" in names,
    )


def read_rope_factors(path: Path) -> Tensor | None:
    """What the file divides its rotary frequencies by; None where it does not."""
    for tensor in gguf.GGUFReader(path).tensors:
        if tensor.name == ROPE_FACTORS:
            return torch.from_numpy(tensor.data.copy())
    return None


def make_rope_factors(config: Any) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """What Llama 3.1 divides its rotary frequencies by: a number a pair, 1 for fast ones, `factor` for slow ones.

    None for models without. In between it goes smoothly (transformers' `_compute_llama3_parameters`).
    """
    rope = read_rope(config)
    if rope["rope_type"] != "llama3":
        return None
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    frequencies = 1.0 / (rope["rope_theta"] ** (torch.arange(0, head, 2, dtype=torch.float32) / head))
    waves = 2 * math.pi / frequencies
    low, high, context = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
    smooth = ((context / waves - low) / (high - low)).clamp(0, 1)
    factors: np.ndarray[Any, np.dtype[np.float32]] = (1 / ((1 - smooth) / rope["factor"] + smooth)).numpy()
    return factors
