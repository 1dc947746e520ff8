"""The model that a trace is of: built from its config on `meta`, without weights.

In: a transformers config and the adapter's knobs. Out: a `Subject`, which can be hashed, and the model it describes.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM

from tuneproof.config import LoraSection
from tuneproof.errors import ModelError
from tuneproof.model.attention import choose_attention
from tuneproof.model.fused import fuse_layers
from tuneproof.model.hardware import DtypeName
from tuneproof.model.load import add_adapter, enable_checkpointing, quiet_transformers
from tuneproof.plan.tracker import Tracker

INT8_SCALE = 4
"""Bytes of the scale of one row of a matrix held in 8 bits (bitsandbytes, `Int8Params.SCB`)."""
SMALL_STATE, STATE_BLOCK = 4096, 256
"""Weights of a tensor below which its optimizer state stays in 32 bits, and of a block with one scale (bitsandbytes,
`optim/optimizer.py`: `min_8bit_size`, `blocksize`)."""
STATE_TABLES = 2 * 256 * 4
"""Bytes of the two tables of values that all 8-bit states share."""
NF4_BLOCK = 64
NF4_TABLES = 16 * 4 + 256 * 4 + 4
"""Bytes of tables a linear layer: 16 values of NF4, 256 of the second quantisation, its offset (bitsandbytes)."""


class Subject(NamedTuple):
    """The model that is traced."""

    config: str
    """The model's config as JSON."""
    dtype: DtypeName
    rank: int
    alpha: int
    dropout: float
    targets: str | tuple[str, ...]
    quantization: str = "none"
    optimizer: str = "adamw"
    offload: bool = False
    """Whether frozen weights beside adapters lie in host memory, two blocks of them on the device."""
    ranks: int = 1
    """Over how many the layers' frozen weights are split."""


def describe_subject(config: Any, *, dtype: DtypeName, lora: LoraSection, quantization: str = "none") -> Subject:
    """The subject for a transformers config and a resolved `lora` section (rank and alpha known)."""
    assert lora.rank is not None
    assert lora.alpha is not None
    targets = lora.targets if isinstance(lora.targets, str) else tuple(lora.targets)
    text = json.dumps(config.to_dict(), sort_keys=True, default=str)
    return Subject(text, dtype, lora.rank, lora.alpha, lora.dropout, targets, quantization)


@lru_cache(maxsize=4)
def build_model(subject: Subject, checkpointing: bool = False) -> PeftModel:
    """The model with its adapter on `meta`, as `model.load` makes it with weights.

    Quantised weights are left whole: what is booked for them differs, and that in 8 bits their layers take PEFT's own
    way. One model with and one without checkpointing: once switched on it leaves something behind that switching it
    off does not take.
    Raises ModelError for an architecture that cannot be built, and for adapter targets that it does not have.
    """
    config = AutoConfig.for_model(**json.loads(subject.config))
    targets = subject.targets if isinstance(subject.targets, str) else list(subject.targets)
    try:
        with quiet_transformers(), torch.device("meta"):
            base = AutoModelForCausalLM.from_config(
                config, dtype=getattr(torch, subject.dtype), attn_implementation=choose_attention(config)
            )
            fuse_layers(base)
            if subject.quantization != "none":
                held = HeldLinear if subject.quantization == "nf4" else HeldLinear8bit
                for linear in find_frozen(base):
                    linear.__class__ = held
            model = add_adapter(base, rank=subject.rank, alpha=subject.alpha, dropout=subject.dropout, targets=targets)
            if checkpointing:
                enable_checkpointing(base)
            return model
    except (KeyError, ValueError) as error:
        raise ModelError("plan.cannot_build", where=config.model_type, why=str(error)[:300]) from error


def count_weight(weight: Tensor, quantization: str) -> int:
    """Bytes of a linear layer's weights as they lie in memory. Shape of `weight`: (outputs, inputs)."""
    if quantization == "int8":
        return weight.numel() + INT8_SCALE * weight.shape[0]
    return count_nf4(weight.numel())


def size_states(weight: Tensor, optimizer: str) -> list[int]:
    """Bytes of each tensor of AdamW's state of a trained weight: two moments and its own count of steps.

    In 8 bits: a byte a weight and moment, and a scale for each block; small tensors stay in 32 bits.
    """
    count = weight.numel()
    if optimizer == "adamw":
        return [4 * count, 4 * count, 4]
    if count < SMALL_STATE:
        return [4 * count, 4 * count]
    scales = 4 * -(-count // STATE_BLOCK)
    return [count, count, scales, scales]


class HeldLinear(nn.Linear):
    """A linear layer whose weight is held in NF4."""

    stands_for_nf4 = True


class HeldLinear8bit(HeldLinear):
    """One in 8 bits: its adapter is computed as PEFT does."""

    stands_for_nf4 = False


def find_frozen(base: Any) -> list[nn.Linear]:
    """Layers that quantised loading changes: every linear layer of the base except its output head."""
    head = base.get_output_embeddings()
    return [module for module in base.modules() if type(module) is nn.Linear and module is not head]


def find_linears(model: PeftModel) -> list[Tensor]:
    """Weights that quantised loading has changed."""
    return [module.weight for module in model.modules() if isinstance(module, HeldLinear)]


def count_nf4(weights: int) -> int:
    """Bytes of a linear layer's weights in NF4 with double quantisation: 0.516 a weight, and its tables.

    Half a byte a weight, one byte a block of 64, four bytes for 256 of those (QLoRA, bitsandbytes).
    """
    blocks = -(-weights // NF4_BLOCK)
    return (weights + 1) // 2 + blocks + 4 * -(-blocks // 256) + NF4_TABLES


@lru_cache(maxsize=8)
def has_plain_head(model: nn.Module) -> bool:
    """Whether logits are `hidden @ head.T` and nothing more, seen from how tensors flow and not from their values.

    The head must read the decoder's result as it is, and what the model returns must be what the head made. On real
    tensors `model.step.check_plain_head` compares the numbers; on `meta` there are none.
    """
    base: Any = model.get_base_model() if isinstance(model, PeftModel) else model
    head = base.get_output_embeddings()
    if type(head) is not nn.Linear or head.bias is not None or head.weight.requires_grad:
        return False
    seen: dict[str, int] = {}

    def note_hidden(module: nn.Module, args: Any, output: Any) -> None:
        seen["hidden"] = output.last_hidden_state.untyped_storage()._cdata

    def note_head(module: nn.Module, args: Any, output: Tensor) -> None:
        seen["read"] = args[0].untyped_storage()._cdata
        seen["made"] = output.untyped_storage()._cdata

    hooks = [base.get_decoder().register_forward_hook(note_hidden), head.register_forward_hook(note_head)]
    try:
        ids = torch.zeros(1, 2, dtype=torch.long, device=head.weight.device)
        with torch.no_grad(), Tracker("meta", vocabulary=0, answer=True):
            logits = base(input_ids=ids, use_cache=False).logits
    finally:
        for hook in hooks:
            hook.remove()
    return seen["hidden"] == seen["read"] and bool(seen["made"] == logits.untyped_storage()._cdata)
