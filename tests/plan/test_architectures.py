"""Architectures as tiny random models: the traced peak is the real step's, within half a percent."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import AutoConfig

from tests.plan.conftest import TINY
from tests.plan.test_trace import LORA, measure_step
from tuneproof.plan.subject import build_model, describe_subject, has_plain_head
from tuneproof.plan.trace import Step, trace_step

LLAMA = {**TINY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
NEOX = {name: value for name, value in LLAMA.items() if name != "num_key_value_heads"}
GEMMA = {**LLAMA, "head_dim": 16}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": LLAMA,
    "mistral": {**LLAMA, "sliding_window": 32},
    "qwen2": LLAMA,
    "qwen3": {**LLAMA, "head_dim": 16},
    "gemma": GEMMA,
    "gemma2": GEMMA,
    "gemma3_text": GEMMA,
    "phi": LLAMA,
    "phi3": LLAMA,
    "olmo2": LLAMA,
    "smollm3": LLAMA,
    "granite": LLAMA,
    "cohere": LLAMA,
    "stablelm": LLAMA,
    "starcoder2": LLAMA,
    "internlm3": {**LLAMA, "head_dim": 16},
    "gpt_neox": NEOX,
    "gpt2": {"vocab_size": 512, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 512, "resid_pdrop": 0.0,
             "embd_pdrop": 0.0, "attn_pdrop": 0.0, "bos_token_id": 1, "eos_token_id": 2},
    "opt": {**NEOX, "ffn_dim": 160, "word_embed_proj_dim": 64, "dropout": 0.0},
    "falcon": {"vocab_size": 512, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "alibi": False},
    "bloom": {"vocab_size": 512, "hidden_size": 64, "n_layer": 2, "n_head": 4, "pad_token_id": 0},
}  # fmt: skip


def test_there_are_twenty_and_one_more() -> None:
    assert len(ARCHITECTURES) == 21


# PEFT asks for another layout of GPT-2's weights, and goes on with it.
@pytest.mark.filterwarnings("ignore:fan_in_fan_out is set to False:UserWarning")
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_traced_peak_of_an_architecture_is_the_real_one(name: str) -> None:
    config = AutoConfig.for_model(name, **ARCHITECTURES[name])
    step = Step((48,), 24, False, 16)
    subject = describe_subject(config, dtype="float32", lora=LORA)
    # Of a fresh model the numbers cannot tell whether its head is plain: its bias is zero.
    real = measure_step(config, step, plain_head=has_plain_head(build_model(subject)))
    assert trace_step(subject, step, kernel="cpu").peak == pytest.approx(real.peak, rel=5e-3)
